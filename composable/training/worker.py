"""A process that does one job: `python -m composable.training.worker JOB.json DATASET MODULE ...`.

The modules are those that define the components of the job.

It writes one JSON object per line to standard output: the events, and at last `fitted` or `failed`. It ends
when its standard input does: nobody else would stop it where the process that began it is gone, and the next
session of the run writes the same files.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from composable.core.backend import choose_backend
from composable.core.workspace import finite


def main(arguments: list[str]) -> int:
    """Do the job; 0 if it came to its end."""
    threading.Thread(target=_end_with_the_input, daemon=True).start()
    choose_backend()
    from composable.training.candidate import to_plain
    from composable.training.dataset import load_dataset
    from composable.training.job import load_job
    from composable.training.run_job import run_job
    from composable.training.trainers import FAILURES, Trainers

    for module in arguments[2:]:
        importlib.import_module(module)
    job = load_job(Path(arguments[0]))
    try:
        fitted = run_job(job, Trainers(load_dataset(Path(arguments[1]))), _write)
    except FAILURES as failed:
        _write("failed", {"reason": f"{type(failed).__name__}: {failed}"[:500]})
        return 1
    facts = {"seconds": fitted.seconds, "skipped": fitted.skipped, "stages": list(fitted.stages)}
    _write("fitted", {**facts, "settings": to_plain(fitted.settings)})
    return 0


def _end_with_the_input() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _write(event: str, facts: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps({"event": event, **finite(dict(facts))}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
