"""Accuracy and seconds of Composable on images, beside plain Keras networks on the same rows.

python benchmarks/images.py --data DIR --peer PYTHON {fashion,cifar,signs} [--seeds 0 1 2]

DIR holds `fashion_mnist.npz`, `cifar10_small.npz` and the folder `sign_digits`. PYTHON is that of an
environment with Keras on TensorFlow, for the peers. Composable runs through its command line alone: `fit`
with a time limit that counts from its start, then `evaluate` on the test rows.

fashion: seconds to 91.5, 93 and 94.5 % on Fashion-MNIST: the smallest time limit of a list that reaches it,
the median of the seeds, beside the seconds of the introductory CNN to 91.5 %. cifar: accuracy on 10,000 rows
of CIFAR-10 after 300 s, beside the better of CNN and ResNet-20. signs: accuracy on photographs of signs
after 120 s, the mean over five splits (row number modulo 5), beside the same.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from conditions import conditions
from PIL import Image

LIMITS = {0.915: (20, 30, 35, 45, 60, 90, 120), 0.93: (60, 90, 100, 120, 180, 300), 0.945: (480, 900, 1500)}
SIDE = 64  # pixels of the photographs, for the peers


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", choices=("fashion", "cifar", "signs"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--targets", type=float, nargs="*", default=list(LIMITS))
    wanted = parser.parse_args()
    print(conditions())
    work = {"fashion": fashion, "cifar": cifar, "signs": signs}[wanted.work]
    work(wanted)


def fashion(wanted: argparse.Namespace) -> None:
    """Seconds to each accuracy."""
    file = wanted.data / "fashion_mnist.npz"
    for target in wanted.targets:
        needed = [
            next((s for s in LIMITS[target] if ours(file, s, seed) >= target), np.inf)
            for seed in wanted.seeds
        ]
        print(f"to {target:.1%}: {needed} s, median {np.median(needed):.0f}", flush=True)
    reached = [peer(wanted.peer, "cnn", file, 400, seed, stop=0.915)[-1] for seed in wanted.seeds]
    seconds = [one["seconds"] if one["accuracy"] >= 0.915 else np.inf for one in reached]
    print(f"CNN to 91.5 %: {seconds} s, median {np.median(seconds):.0f}")


def cifar(wanted: argparse.Namespace) -> None:
    """Accuracy after 300 s."""
    compared(wanted, [(wanted.data / "cifar10_small.npz",) * 2], 300, wanted.seeds)


def signs(wanted: argparse.Namespace) -> None:
    """Error after 120 s, over five splits."""
    with tempfile.TemporaryDirectory() as folder:
        splits = [
            split(wanted.data / "sign_digits", Path(folder, str(number)), number) for number in range(5)
        ]
        compared(wanted, splits, 120, [0])


def compared(
    wanted: argparse.Namespace, sets: Sequence[tuple[Path, Path]], limit: int, seeds: Sequence[int]
) -> None:
    """Ours and both peers on each set and seed; of the peers the accuracy after the last epoch in time."""
    rows = [(own, theirs, seed) for own, theirs in sets for seed in seeds]
    found = {"Composable": [ours(own, limit, seed) for own, _, seed in rows]}
    for network in ("cnn", "resnet20"):
        ends = [peer(wanted.peer, network, theirs, limit, seed) for _, theirs, seed in rows]
        found[network] = [[e["accuracy"] for e in epochs if e["seconds"] <= limit][-1] for epochs in ends]
    for name, accuracies in found.items():
        each = ", ".join(f"{accuracy:.4f}" for accuracy in accuracies)
        print(f"{name:12s} {np.mean(accuracies):.4f} ± {np.std(accuracies):.4f}  ({each})", flush=True)


def ours(data: Path, limit: int, seed: int) -> float:
    """Our accuracy on the test rows after a fit with this time limit."""
    command = [sys.executable, "-m", "composable"]
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        options = ["--time-limit", str(limit), "--seed", str(seed), "--out", f"{folder}/run"]
        _run([*command, "fit", str(data), *options])
        took = time.monotonic() - began
        answer = json.loads(_run([*command, "evaluate", f"{folder}/run", str(data), "--json"]))
    print(
        f"  {data.name}, limit {limit} s, seed {seed}: {answer['accuracy']:.4f} in {took:.1f} s", flush=True
    )
    return answer["accuracy"]


def peer(
    python: str, network: str, file: Path, limit: int, seed: int, stop: float = 1.1
) -> list[dict[str, float]]:
    """Every epoch of a peer: seconds and accuracy."""
    program = Path(__file__).parent / "peers" / "keras_images.py"
    command = [
        python,
        str(program),
        network,
        str(file),
        str(limit),
        "--seed",
        str(seed),
        "--stop-at",
        str(stop),
    ]
    answer = _run(command, {"KERAS_BACKEND": "tensorflow"})
    epochs = [json.loads(line) for line in answer.splitlines() if line.startswith("{")]
    last = epochs[-1]
    print(f"  {network}, seed {seed}: {last['accuracy']:.4f} after {last['seconds']:.0f} s", flush=True)
    return epochs


def split(root: Path, folder: Path, number: int) -> tuple[Path, Path]:
    """A folder with train and test above the classes, and the same as arrays."""
    files = sorted(root.rglob("*.jpg"))
    arrays: dict[str, list[object]] = {"x_train": [], "y_train": [], "x_test": [], "y_test": []}
    for place, file in enumerate(files):
        part = "test" if place % 5 == number else "train"
        copy = folder / "photographs" / part / file.parent.name / f"{place}.jpg"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
        with Image.open(file) as image:
            arrays[f"x_{part}"].append(
                np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR))
            )
        arrays[f"y_{part}"].append(int(file.parent.name))
    np.savez(folder / "arrays.npz", **{name: np.array(values) for name, values in arrays.items()})
    return folder / "photographs", folder / "arrays.npz"


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
