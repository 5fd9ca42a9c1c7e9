"""`softray train …` in a terminal: what is trained on what, how far it is, what came of it, what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from models.errors import ConfigError
from models.metrics import Scores
from models.training.config import RunConfig, load_config
from models.training.curves import missing_packages
from models.training.engine.trainer import Terms
from models.training.errors import TrainingError, TrainingFault
from models.training.export import require_free
from models.training.finish import LICENCE, Validation, install, validate
from models.training.projections import project_ct
from models.training.run_folder import RunFolder
from models.training.session import Session, open_session, run_session
from service.settings import Settings

console = Console(soft_wrap=True, highlight=False)
RUNS = Path("runs")
SMOOTHING = 0.98
NEXT = {
    "vqgan": "softray train ldm CONFIG --set ldm.autoencoder",
    "bsdiff": "softray train bsdiff bsdiff-enhancer --set bsdiff.denoiser",
}
"""What is trained over a run that gives no model by itself."""


def run_train(
    settings: Settings,
    *,
    kind: str,
    config: Path | None,
    run: Path | None,
    resume: bool,
    overrides: Sequence[str],
    install_as: str,
    until: int,
) -> None:
    """Train, or go on training. Raises ModelsError."""
    folder = run or _default_folder(config)
    if resume and not RunFolder(folder).begun:
        raise TrainingError(TrainingFault.RUN_MISSING, f"expected a checkpoint to resume in {folder}, found none")
    if install_as:  # before hours of training, not after
        require_free(settings.effective_weights_dir / install_as)
    chosen = _config(kind, config, folder, overrides)
    with console.status("reading the pairs …"):
        session = open_session(chosen, folder)
    _announce(session)
    try:
        _train(session, until)
    except KeyboardInterrupt:
        console.print(f"interrupted; the same command goes on from the last checkpoint in {folder}")
        raise
    if session.trainer.step < session.config.engine.steps:
        console.print(f"stopped after step {session.trainer.step}; the same command goes on from there")
        return
    with console.status("judging the validation split …"):
        judged = validate(session)
    _print_validation(session, judged)
    if install_as:
        _install(session, settings.effective_weights_dir, install_as, "1", LICENCE, replace=False)
    elif judged.gives_model:
        console.print(f"next: softray train export {shlex.quote(str(folder))} --name NAME")
    else:
        console.print(f"next: {NEXT[kind]}={shlex.quote(str(folder))}")


def run_export(
    settings: Settings, *, run: Path, name: str, into: Path | None, version: str, licence: str, replace: bool
) -> None:
    """Install the averaged weights of a run. Raises ModelsError."""
    with console.status("reading the run …"):
        session = open_session(RunFolder(run).stored_config(), run)
    own = settings.effective_weights_dir
    folder = into or own
    elsewhere = "" if folder.resolve() == own.resolve() else f"SOFTRAY_WEIGHTS_DIR={shlex.quote(str(folder))} "
    _install(session, folder, name, version, licence or LICENCE, replace=replace, prefix=elsewhere)


def run_project(settings: Settings, *, ct: Path, target: Path, count: int, seed: int) -> None:
    """Project a CT in random poses into a file for `data.projections`. Raises ConfigError."""
    del settings
    if not ct.is_file():
        raise ConfigError(f"expected a CT volume as .npz (hu_over_6, spacing_mm), found no {ct}")
    with _progress() as progress:
        task = progress.add_task("projecting", total=count, note="")

        def show(done: int, _total: int) -> None:
            progress.update(task, completed=done)

        try:
            project_ct(ct, target, count=count, seed=seed, on_progress=show)
        except (KeyError, ValueError, OSError) as error:
            raise ConfigError(
                f"{ct}: expected a CT volume as .npz with hu_over_6 and spacing_mm, found none ({type(error).__name__})"
            ) from error
    console.print(f"{count} projections in {target}; use them with --set data.projections={shlex.quote(str(target))}")


def _config(kind: str, config: Path | None, folder: Path, overrides: Sequence[str]) -> RunConfig:
    if config is not None:
        return load_config(kind, config, overrides)
    if overrides:
        raise ConfigError("--set changes a configuration: name it, or leave --set out to go on with the folder's own")
    stored = RunFolder(folder).stored_config()
    if stored.kind != kind:
        raise ConfigError(f"{folder} holds a training of kind {stored.kind!r}, not {kind!r}")
    return stored


def _default_folder(config: Path | None) -> Path:
    if config is None:
        raise ConfigError("expected a configuration, or the folder of a training to go on with (--run), found neither")
    return RUNS / config.name.removesuffix(".toml")


def _announce(session: Session) -> None:
    config, trainer = session.config, session.trainer
    parameters = ", ".join(
        f"{name} {sum(parameter.numel() for parameter in learner.network.parameters()):,}"
        for name, learner in trainer.learners.items()
    )
    mixture = config.data.mixture
    sources = {
        "of pairs": mixture.pairs,
        "of projections": mixture.projections,
        "of projected bone over soft tissue": mixture.overlays,
        "of radiographs without a truth": mixture.differences,
    }
    drawn = ", ".join(f"{count} {source}" for source, count in sources.items() if count)
    console.print(f"{config.kind} in {session.folder.path}: {parameters} parameters, on {trainer.device}")
    console.print(f"pairs: {session.data}; images of a batch: {drawn}")
    if trainer.step:
        console.print(f"going on after step {trainer.step} of {config.engine.steps}")
    if missing := missing_packages():
        console.print(f"[yellow]not installed: {', '.join(missing)} (pip install 'softray\\[train]')[/yellow]")


def _train(session: Session, until: int) -> None:
    steps = session.config.engine.steps
    with _progress() as progress:
        task = progress.add_task(session.config.kind, total=steps, completed=session.trainer.step, note="")
        smooth: dict[str, float] = {}

        def on_step(step: int, terms: Terms) -> None:
            totals: dict[str, float] = {}
            for term, value in terms.items():
                network = term.partition("/")[0]
                totals[network] = totals.get(network, 0.0) + value
            for network, value in totals.items():
                smooth[network] = SMOOTHING * smooth.get(network, value) + (1 - SMOOTHING) * value
            losses = ", ".join(f"{network} {value:.4f}" for network, value in smooth.items())
            progress.update(task, completed=step, note=f"loss {losses}")

        run_session(session, on_step, min(until, steps))


def _print_validation(session: Session, judged: Validation) -> None:
    if not judged.pairs:
        console.print("no pair was left for validation: judge the model with softray evaluate")
        return
    if judged.model is None or judged.identity is None:
        figures = ", ".join(f"{name} {value:.2f}" for name, value in judged.figures.items())
        console.print(f"on {judged.pairs} validation pairs: {figures or 'no figures'}")
        return
    table = Table("method", title=f"{judged.pairs} validation pairs, mean")
    for heading in ("tone-fitted PSNR, dB", "bone left", "detail kept"):
        table.add_column(heading, justify="right")
    for method, scores in (("identity", judged.identity), (session.config.kind, judged.model)):
        table.add_row(method, *_row(scores))
    console.print(table)


def _row(scores: Scores) -> tuple[str, str, str]:
    return f"{scores.psnr_db:.2f}", f"{scores.bone_left:.3f}", f"{scores.detail_kept:.3f}"


def _install(
    session: Session, into: Path, name: str, version: str, licence: str, *, replace: bool, prefix: str = ""
) -> None:
    with console.status("installing, with the golden phantom …"):
        manifest = install(session, into, name, version=version, licence=licence, replace=replace)
    console.print(f"installed {manifest.name} in {manifest.folder} (digest {manifest.sha256[:12]})")
    console.print(f"next: {prefix}SOFTRAY_MODEL={name} softray demo      the service, with this model")
    console.print(f"      {prefix}SOFTRAY_MODEL={name} softray suppress IN OUT      one file")


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
    )
