"""How fast does the engine train, beside Keras `fit`, PyTorch, and the packages tabm and pytabkit?

Of every comparison all participants are started and warmed up, each a process of its own; then they take
turns, one round each, and the median of the rounds' ratios is printed. Compilation is apart, but where it is
what is measured. Participants whose environment or table isn't given are left out.

python benchmarks/engine.py [--only cohort trials] [--rounds 5] [--peers-only] [--table phoneme.csv.gz]
    [--tensorflow PYTHON: has composable[tensorflow]] [--torch PYTHON: has torch, tabm, pytabkit[models]]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from comparisons import Comparison, Target, comparisons
from conditions import conditions
from participant import FailedError, Participant, Side, started


def main() -> None:
    """Measure and print."""
    given = _arguments()
    print(conditions())
    pythons = {"ours": sys.executable, "tensorflow": given.tensorflow, "torch": given.torch}
    known = comparisons(given.table)
    for name in given.only or known:
        comparison = _possible(known[name], pythons, given.table, peers_only=given.peers_only)
        if comparison.sides:
            print(f"\n{comparison.work}", flush=True)
            _report(comparison, _rates(comparison, pythons, given.rounds))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="*", choices=list(comparisons("")))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--tensorflow", default="", help="the Python of an environment with TensorFlow")
    parser.add_argument("--torch", default="", help="the Python of an environment with PyTorch")
    parser.add_argument("--table", default="", help="phoneme.csv.gz")
    return parser.parse_args()


def _possible(
    comparison: Comparison, pythons: Mapping[str, str], table: str, *, peers_only: bool
) -> Comparison:
    """Without the sides whose environment, or whose table, isn't there."""
    sides = {
        name: side
        for name, side in comparison.sides.items()
        if pythons[side.python]
        and (table or "table" not in side.job)
        and not (peers_only and name.startswith("ours"))
    }
    return replace(comparison, sides=sides)


def _rates(comparison: Comparison, pythons: Mapping[str, str], rounds: int) -> dict[str, list[float]]:
    """Of each participant what it gets done per second, in each round."""
    with contextlib.ExitStack() as stack:
        kept = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ready: dict[str, Participant | Side] = {}
        for name, side in comparison.sides.items():
            try:
                if side.cached:
                    _first(side, pythons, kept)
                ready[name] = side if side.fresh else _entered(stack, name, side, pythons, kept)
            except FailedError as failed:
                print(f"  {name} failed: {failed}", flush=True)
        found: dict[str, list[float]] = {name: [] for name in ready}
        for number in range(rounds):
            for name in ready if number % 2 else reversed(ready):
                one = ready[name]
                found[name].append(one.rate() if isinstance(one, Participant) else _first(one, pythons, kept))
        return found


def _entered(
    stack: contextlib.ExitStack, name: str, side: Side, pythons: Mapping[str, str], kept: Path
) -> Participant:
    participant = stack.enter_context(started(side, pythons[side.python], kept))
    facts = {fact: _rounded(value) for fact, value in participant.facts.items() if fact != "amount"}
    print(f"  {name}: {json.dumps(facts)}", flush=True)
    return participant


def _rounded(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value


def _first(side: Side, pythons: Mapping[str, str], kept: Path) -> float:
    """The rate of a process's first round."""
    with started(side, pythons[side.python], kept) as participant:
        return participant.rate()


def _report(comparison: Comparison, rates: Mapping[str, list[float]]) -> None:
    for name, each in rates.items():
        rate = float(np.median(each))
        # One piece of work at a time is told in seconds, samples and operations in what a second brings.
        shown = f"{1 / rate:15.2f} s" if rate < 10 else f"{_short(rate):>15s} /s"
        print(f"  {name:24s}{shown}   {min(each) / rate:.2f} to {max(each) / rate:.2f} of it")
    for target in comparison.targets:
        if target.ours in rates and target.peer in rates:
            _verdict(target, np.asarray(rates[target.ours]), np.asarray(rates[target.peer]))


def _short(rate: float) -> str:
    for size, prefix in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if rate >= size:
            return f"{rate / size:.4g}{prefix}"
    return f"{rate:.4g}"


def _verdict(target: Target, ours: np.ndarray, peer: np.ndarray) -> None:
    ratios = peer / ours if target.time else target.factor * ours / peer
    ratio = float(np.median(ratios))
    compared = "time" if target.time else "rate"
    met = [ratio <= wanted if target.time else ratio >= wanted for wanted in (target.reach, target.dream)]
    words = "dream" if met[1] else "reached" if met[0] else "missed"
    print(
        f"  {compared} of {target.ours} / {target.peer}: {ratio:.2f}"
        f" (reach {target.reach:.2f}, dream {target.dream:.2f}): {words}",
        flush=True,
    )


if __name__ == "__main__":
    main()
