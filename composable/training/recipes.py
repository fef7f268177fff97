"""How the published networks for tables are trained: their papers' settings for a problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from composable.design.part import Part
from composable.engine.optimizer import BIASES, Group, Optimizer
from composable.engine.rules import Rule
from composable.engine.schedules import coslog4, flat_cosine, polynomial
from composable.engine.settings import Settings
from composable.problem.kinds import kind_of
from composable.problem.problem import Head, Problem

BATCH = 256
EPOCHS = 256
_MUON = 0.12  # its learning rate
_SEEN = 1_500_000  # images, all epochs together, after which little is learned from the same ones
_SMOOTHED = ("accuracy",)  # smoothing spoils probabilities and their order
_RULE = Rule("adam", {"beta_2": 0.95, "epsilon": 1e-8})


def realmlp(problem: Problem, *, epochs: int = EPOCHS, batch_size: int = BATCH) -> Settings:
    """RealMLP-TD's, for `composable.zoo.realmlp.realmlp`.

    Holzmueller et al. 2024, arXiv:2407.04491, table A.1, as its package `pytabkit` has it: the factors of the
    rates apply to the weight decay twice, and so do the factors of the decay. A learning rate that rises and
    falls four times is followed to its end.

    Args:
        problem: Whether it is a regression decides the rate; the metric, whether labels are smoothed.
        epochs: At most.
        batch_size: Rows of a step at most.
    """
    groups = (
        Group(r"diagonal_scale/", rate=6.0, decay=6.0),
        Group(r"(periodic_|_slope/)", rate=0.1, decay=0.1),
    )
    return Settings(
        optimizer=Optimizer(_RULE, groups + _of_scores(problem.heads)),
        learning_rate=0.2 if _numbers(problem) else 0.04,
        learning_rate_schedule=Part(coslog4),
        weight_decay=0.02,
        weight_decay_schedule=Part(flat_cosine),
        dropout_schedule=Part(flat_cosine),
        label_smoothing=_smoothing(problem),
        batch_size=batch_size,
        epochs=epochs,
        patience=None,
    )


def realmlp_s(problem: Problem, *, epochs: int = EPOCHS, batch_size: int = BATCH) -> Settings:
    """RealMLP-TD-S's, for `composable.zoo.realmlp.realmlp_s`: no decay, and one group less.

    Args:
        problem: As for `realmlp`.
        epochs: At most.
        batch_size: Rows of a step at most.
    """
    return Settings(
        optimizer=Optimizer(_RULE, (Group(r"diagonal_scale/", rate=6.0), *_of_scores(problem.heads))),
        learning_rate=0.07 if _numbers(problem) else 0.04,
        learning_rate_schedule=Part(coslog4),
        weight_decay=0.0,
        label_smoothing=_smoothing(problem),
        batch_size=batch_size,
        epochs=epochs,
        patience=None,
    )


def tabm(*, learning_rate: float = 2e-3, batch_size: int = BATCH) -> Settings:
    """TabM's: Gorishniy et al. 2025, arXiv:2410.24210, section 3; AdamW, clipped gradients, patience.

    Args:
        learning_rate: The paper's package takes this one in its example.
        batch_size: Rows of a step at most.
    """
    return Settings(
        optimizer=Optimizer(Rule("adamw"), (BIASES,), clip=1.0),
        learning_rate=learning_rate,
        weight_decay=3e-4,
        batch_size=batch_size,
        patience=16,
    )


def fast_cifar(problem: Problem, *, rows: int, augment: Sequence[Part] = ()) -> Settings:
    """That of airbench94_muon, for `composable.zoo.fast_cifar` and its like.

    Jordan 2024, github.com/KellerJordan/cifar10-airbench: convolutions by Muon, each brought to one norm in
    each step, a rate that falls in a straight line; all else by Adam here.

    Args:
        problem: Whether labels are smoothed.
        rows: To learn from: there are more epochs where they are few.
        augment: What is done to the images.
    """
    muon = Rule("muon", {"momentum": 0.6, "steps": 3, "rms": None, "renormalize": True})
    rate = 5e-3
    group = Group(r"conv2d[^/]*/kernel$", rate=_MUON / rate, rule=muon)
    usual = images(problem, rows=rows, augment=augment)
    return replace(usual, optimizer=Optimizer(Rule("adam"), (group,)), learning_rate=rate, weight_decay=0.0)


def images(problem: Problem, *, rows: int, augment: Sequence[Part] = ()) -> Settings:
    """For any network of images: AdamW at a rate that falls in a straight line to the end.

    Args:
        problem: Whether labels are smoothed.
        rows: To learn from: there are more epochs, of smaller batches, where they are few.
        augment: What is done to the images.
    """
    return Settings(
        optimizer=Optimizer(clip=1.0),
        learning_rate=2e-3,
        learning_rate_schedule=Part(polynomial),
        weight_decay=1e-2,
        label_smoothing=0.0 if _numbers(problem) else 0.1,
        augment=tuple(augment),
        batch_size=250 if rows >= 5_000 else 64 if rows >= 1_000 else 32,
        epochs=int(np.clip(_SEEN / rows, 30, 200)),
        patience=None,
    )


def _of_scores(heads: Sequence[Head]) -> tuple[Group, ...]:
    """The groups of the biases, and of the weights of scores that go through a sigmoid.

    The paper has two scores for two classes. Their difference, our one score, is moved by both.
    """
    sigmoid = [str(n) for n, head in enumerate(heads) if kind_of(head).activation == "sigmoid"]
    biases = Group(r"/bias$", rate=0.1, decay=0.0)
    if not sigmoid:
        return (biases,)
    scores = rf"head_({'|'.join(sigmoid)})_logits"
    return (
        Group(rf"{scores}/kernel$", rate=2.0, decay=0.5),
        Group(rf"{scores}/bias$", rate=0.2, decay=0.0),
        biases,
    )


def _numbers(problem: Problem) -> bool:
    return not any(head.labels for head in problem.heads)


def _smoothing(problem: Problem) -> float:
    return 0.1 if problem.metric in _SMOOTHED else 0.0
