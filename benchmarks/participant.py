"""A participant of a comparison as a process of its own: started, warmed up, then one round whenever asked.

What the process does is in `peers/rounds.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

HERE = Path(__file__).parent
_SETTLE = 0.3  # seconds until the threads of the one before stopped waiting for work


class FailedError(RuntimeError):
    """A participant ended without an answer."""


@dataclass(frozen=True)
class Side:
    """Who takes part, and with what.

    Attributes:
        script: Beside this file.
        python: Of which environment: "ours", "tensorflow" or "torch".
        job: See the script's functions.
        backend: Of Keras.
        fresh: A round is the first thing that its process does, so each has a process of its own.
        cached: What it compiled before is found on the disk.
    """

    script: str
    python: str
    job: Mapping[str, Any]
    backend: str = ""
    fresh: bool = False
    cached: bool = False


@dataclass(frozen=True, eq=False)
class Participant:
    """A process that is ready."""

    process: subprocess.Popen[str]
    facts: Mapping[str, Any]
    errors: IO[str]

    def rate(self) -> float:
        """What one round gets done per second."""
        time.sleep(_SETTLE)
        return self.facts["amount"] / _asked(self.process, self.errors)["seconds"]


@contextlib.contextmanager
def started(side: Side, python: str, kept: Path) -> Iterator[Participant]:
    """A process of that environment, until the block ends.

    Args:
        side: What it does.
        python: The interpreter.
        kept: Where a cached side finds what it compiled before.

    Raises:
        FailedError: With the last lines that it said, if it ends before it is ready.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile("w+") as errors:
        cache = kept if side.cached else Path(folder)
        process = subprocess.Popen(
            [python, str(HERE / side.script), json.dumps(dict(side.job))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=_environment(side, cache),
        )
        try:
            yield Participant(process, _answer(process, errors), errors)
        finally:
            process.terminate()
            process.wait()


def _environment(side: Side, cache: Path) -> dict[str, str]:
    """Everyone finds its compiled programs where this run wants it, and our package beside this folder."""
    paths = [str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"}
    if side.script == "ours_engine.py":
        found["JAX_COMPILATION_CACHE_DIR"] = str(cache)
    return found | ({"KERAS_BACKEND": side.backend} if side.backend else {})


def _asked(process: subprocess.Popen[str], errors: IO[str]) -> dict[str, Any]:
    if process.stdin is None:
        raise FailedError("The process can't be asked.")
    process.stdin.write("\n")
    process.stdin.flush()
    return _answer(process, errors)


def _answer(process: subprocess.Popen[str], errors: IO[str]) -> dict[str, Any]:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        errors.seek(0)
        raise FailedError("".join(errors.readlines()[-5:]).strip() or "it ended without a word")
    return json.loads(line)
