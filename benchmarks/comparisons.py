"""What `engine.py` compares: who takes part, and how fast the first should be beside the second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from participant import Side

OURS, KERAS, TORCH, FOLDS = "ours_engine.py", "peers/keras_fit.py", "peers/torch_steps.py", "peers/folds.py"
_DEFAULT = ({},)
_STEPS = ({}, *({"steps_per_execution": steps} for steps in (4, 16, 32, 64)))
_UNFUSED = ({}, {"jit_compile": False})  # TensorFlow compiles with XLA by default, which may be slower
_MACS = 13 * 128 + 128 * 128 + 128
# Forward, gradient of the weights, and gradient of the inputs but for the first layer's.
MLP_OPERATIONS = 2 * (3 * _MACS - 13 * 128)


@dataclass(frozen=True)
class Target:
    """How the rate of one participant should compare with that of another.

    Attributes:
        ours, peer: Names of participants.
        reach, dream: Least ratios of the rates; with `time` largest ratios of the seconds.
        time: Whether the seconds are compared.
        factor: Of our rate, where it is in other units.
    """

    ours: str
    peer: str
    reach: float
    dream: float
    time: bool = False
    factor: float = 1.0


@dataclass(frozen=True)
class Comparison:
    """One piece of work.

    Attributes:
        work: In words.
        sides: Who does it, in turn.
        targets: Of the issue's table.
    """

    work: str
    sides: Mapping[str, Side]
    targets: tuple[Target, ...]


def comparisons(table: str) -> dict[str, Comparison]:
    """All of them; `table` is the path of phoneme.csv.gz."""
    return {
        **{f"mlp_{batch}": _mlp(batch, *dreams) for batch, dreams in {256: (3, 4), 32: (9, 14)}.items()},
        "cohort": _cohort(),
        "trials": _trials(),
        "tabm_mini": _folds("tabm_mini", "five-fold TabM-mini on phoneme, an epoch", table, 1),
        "realmlp": _folds("realmlp", "five-fold RealMLP-TD on phoneme, 16 epochs", table, 16),
        "resnet20": _images("resnet20", "ResNet-20 on 32x32, batch 128", batch=128, steps=4),
        "mobilenet": _images("mobilenet_stack", "MobileNetV2 blocks, batch 32", batch=32, steps=8),
        "conv_pool": _images("conv_pool", "conv-pool-conv-pool-dense, 28x28, batch 128", batch=128, steps=16),
        "first_mlp": _first_step("mlp", "first step of 13-128-128-1"),
        "first_resnet": _first_step("resnet20", "first step of ResNet-20"),
    }


def _keras(backend: str, work: Mapping[str, object], options: tuple[Mapping[str, object], ...]) -> Side:
    # Keras on JAX runs in our own environment: the same versions on both sides.
    python = "tensorflow" if backend == "tensorflow" else "ours"
    return Side(KERAS, python, {**work, "options": options}, backend)


def _mlp(batch: int, reach: float, dream: float) -> Comparison:
    work = {"work": "epochs", "network": "mlp", "batch": batch, "rows": 102_400, "epochs": batch // 32}
    return Comparison(
        f"13-128-128-1, batch {batch}, samples/s",
        {
            "ours": Side(OURS, "ours", {**work, "instances": 1}, "jax"),
            "Keras on JAX, best": _keras("jax", work, _STEPS),
            "Keras on TensorFlow": _keras("tensorflow", {**work, "epochs": 1}, _DEFAULT),
        },
        (
            Target("ours", "Keras on JAX, best", 1.0, 1.4),
            Target("ours", "Keras on TensorFlow", reach, dream),
        ),
    )


def _cohort() -> Comparison:
    work = {"work": "epochs", "network": "mlp", "batch": 256, "rows": 102_400, "epochs": 1}
    return Comparison(
        "32 networks 13-128-128-1, batch 256, network-samples/s",
        {
            "ours": Side(OURS, "ours", {**work, "instances": 32}, "jax"),
            "Keras on JAX, best": _keras("jax", {**work, "epochs": 4}, _STEPS),
            "matrix product": Side("peers/matrix.py", "ours", {"work": "product"}),
        },
        (
            Target("ours", "Keras on JAX, best", 1.5, 2.2),
            Target("ours", "matrix product", 0.4, 0.6, factor=MLP_OPERATIONS),
        ),
    )


def _trials() -> Comparison:
    work = {"work": "trials", "network": "mlp", "batch": 32, "rows": 400, "epochs": 50, "trials": 32}
    ours = Side(OURS, "ours", work, "jax", fresh=True)
    return Comparison(
        "32 trials of 50 epochs on 400 rows, batch 32, all included",
        {"ours": ours, "Keras on JAX, best": _keras("jax", work, _STEPS[:3])},
        (Target("ours", "Keras on JAX, best", 8, 25),),
    )


def _folds(name: str, words: str, table: str, epochs: int) -> Comparison:
    job = {"work": name, "table": table, "target": "oral", "epochs": epochs}
    package = {"tabm_mini": "tabm", "realmlp": "pytabkit"}[name]
    sides = {"ours": Side(OURS, "ours", job, "jax"), package: Side(FOLDS, "torch", job)}
    return Comparison(words, sides, (Target("ours", package, 2, 5),))


def _images(network: str, words: str, *, batch: int, steps: int) -> Comparison:
    work = {"work": "epochs", "network": network, "batch": batch, "rows": batch * steps, "epochs": 1}
    ours = {**work, "instances": 1}
    return Comparison(
        f"{words}, samples/s",
        {
            "ours on JAX": Side(OURS, "ours", ours, "jax"),
            "ours on TensorFlow": Side(OURS, "tensorflow", ours, "tensorflow"),
            "Keras on JAX": _keras("jax", work, _DEFAULT),
            "Keras on TensorFlow": _keras("tensorflow", work, _UNFUSED),
            "PyTorch": Side(TORCH, "torch", work),
        },
        (
            Target("ours on JAX", "Keras on TensorFlow", 1 / 1.5, 1.0),
            Target("ours on TensorFlow", "Keras on TensorFlow", 1.0, 1.3),
            Target("ours on JAX", "PyTorch", 0.6, 1.0),
            Target("ours on TensorFlow", "PyTorch", 0.6, 1.0),
        ),
    )


def _first_step(network: str, words: str) -> Comparison:
    work = {"work": "first_step", "network": network, "batch": 128}
    ours = Side(OURS, "ours", work, "jax", fresh=True)
    return Comparison(
        f"{words}, of a new process",
        {
            "ours": ours,
            "ours, compiled before": replace(ours, cached=True),
            "Keras on TensorFlow": replace(_keras("tensorflow", work, _DEFAULT), fresh=True),
        },
        (
            Target("ours", "Keras on TensorFlow", 1.5, 1.0, time=True),
            Target("ours, compiled before", "Keras on TensorFlow", 0.5, 0.2, time=True),
        ),
    )
