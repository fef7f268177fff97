"""What a participant of a comparison does: prepare a job, then one round of it whenever it is told.

The job comes as JSON on the command line. Preparing (building, compiling, a first run) ends with one JSON
line of facts; then every line on the input asks for a round, and one JSON line says how many seconds it took.
So the caller can let several participants take turns, each long warmed up. By hand:

seq 5 | python benchmarks/peers/keras_fit.py '{"work": "epochs", "network": "mlp", "batch": 256, ...}'
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Job = Mapping[str, Any]


@dataclass(frozen=True)
class Prepared:
    """A job that is ready.

    Attributes:
        go: Does one round.
        amount: What a round gets done: rows times epochs (times networks), or 1.
        facts: Anything else worth printing.
    """

    go: Callable[[], object]
    amount: float = 1.0
    facts: Mapping[str, Any] = field(default_factory=dict)


def take_part(works: Mapping[str, Callable[[Job], Prepared]], packages: tuple[str, ...]) -> None:
    """Prepare the job on the command line and do a round for every line on the input.

    Args:
        works: By what a job calls itself.
        packages: Whose versions are said.
    """
    job = json.loads(sys.argv[1])
    answers = sys.stdout
    # Libraries that print would spoil the lines that the caller reads.
    with contextlib.redirect_stdout(sys.stderr):
        began = time.perf_counter()
        ready = works[job["work"]](job)
        versions = {name: importlib.metadata.version(name) for name in packages}
        facts = {"prepared": time.perf_counter() - began, "versions": versions, **ready.facts}
        print(json.dumps({"amount": ready.amount, **facts}), file=answers, flush=True)
        for _ in sys.stdin:
            print(json.dumps({"seconds": seconds(ready.go)}), file=answers, flush=True)


def seconds(call: Callable[[], object]) -> float:
    """How long a call takes."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
