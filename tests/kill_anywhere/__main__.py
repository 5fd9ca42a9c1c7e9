"""`python -m tests.kill_anywhere`, `make kill-anywhere`: a campaign of any number of injections, printed as it goes.

The seed decides the order; the same seed and number give the same rounds. `--only` repeats one injection by its name,
as the progress and the list of `--list` print it. Ends with 1 when something was lost, doubled or left half-done.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.kill_anywhere.campaign import Campaign
from tests.kill_anywhere.injection import Victim, cells, rounds
from tests.kill_anywhere.installation import installed
from tests.kill_anywhere.summary import every_cell, summary

UNDISTURBED = 10


def main() -> int:
    """Run as the command line says; the exit code."""
    chosen = _arguments()
    # However the campaign is ended, no server of it stays behind, nor its disk.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    if chosen.list:
        print("\n".join(injection.name for injection in cells(list(Victim))))
        return 0
    seed = random.SystemRandom().randrange(1, 1_000_000) if chosen.seed is None else chosen.seed
    folder = Path(tempfile.mkdtemp(prefix="softray-kill-anywhere-"))
    print(f"seed {seed}, logs in {folder / 'logs'}", flush=True)
    with installed(folder, embedded=chosen.embedded) as installation:
        wanted = chosen.only.split(",")
        found = [one for one in cells(installation.victims) if any(part in one.name for part in wanted)]
        if not found:
            print(f"expected a part of a name that --list prints, found {chosen.only}", file=sys.stderr)
            return 2
        print(f"{len(found)} cells, {chosen.injections} injections", flush=True)
        campaign = Campaign(installation, seed, lambda line: print(line, flush=True))
        campaign.undisturbed(UNDISTURBED)
        report = campaign.run(rounds(found, chosen.injections, seed))
        late = installation.processes.terminate(30)
    text = summary(report)
    if late:
        text += f"\n\nnot ended within 30 s of the last SIGTERM: {', '.join(late)}"
    print(f"\n{text}\n\n{every_cell(report)}")
    if chosen.write is not None:
        chosen.write.write_text(f"{text}\n\n{every_cell(report)}\n")
    return (
        0
        if report.verdict.kept and len(report.injected) == sum(o.recovery_s is not None for o in report.injected)
        else 1
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="kill-anywhere", description=__doc__)
    parser.add_argument("--injections", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None, help="decides the order; printed when not given")
    parser.add_argument("--only", default="", help="only injections whose name contains one of these, with commas")
    parser.add_argument("--embedded", action="store_true", help="SQLite and message files instead of servers")
    parser.add_argument("--write", type=Path, default=None, help="a file for the summary")
    parser.add_argument("--list", action="store_true", help="print every injection there is")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
