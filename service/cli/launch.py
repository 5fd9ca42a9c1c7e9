"""Launch targets by name: the command line starts what it may not import."""

from __future__ import annotations

import importlib
from typing import NoReturn, Protocol, cast

import typer

from service.errors import ConfigurationError
from service.settings import Settings, load_settings


class Target(Protocol):
    """A function of another package, called with this process's settings and the command's own arguments."""

    def __call__(self, settings: Settings, /, **arguments: object) -> object:
        """Run it."""


def call(target: str, settings: Settings, /, **arguments: object) -> object:
    """Run "package.module:function" with the settings. A known error ends the program with its sentence, code 1."""
    module_name, _, function_name = target.partition(":")
    try:
        function = cast(Target, getattr(importlib.import_module(module_name), function_name))
    except ModuleNotFoundError as error:
        if error.name not in {"torch", "safetensors"}:
            raise
        fail(
            f"this command needs {error.name}: install softray with its `models` extra (pip install 'softray[models]')"
        )
    try:
        return function(settings, **arguments)
    except Exception as error:
        # Our packages' errors carry a reason code in UPPER_SNAKE; anything else is a defect and shows its traceback.
        code = getattr(error, "code", None)
        if not isinstance(code, str) or not code.isupper():
            raise
        sentence = str(error)
        fail(sentence if sentence.startswith(code) else f"{code}: {sentence}")


def fail(sentence: str) -> NoReturn:
    """Say `sentence` on standard error and end with exit code 1."""
    typer.secho(sentence, fg=typer.colors.RED, err=True)
    raise typer.Exit(1)


def settings() -> Settings:
    """The settings of this process, or exit code 2 with what is wrong with them."""
    try:
        return load_settings()
    except ConfigurationError as error:
        typer.secho(str(error), fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from error
