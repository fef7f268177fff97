"""Temperature scaling: only where held-out rows show that it helps."""

from __future__ import annotations

import numpy as np
import pytest

from composable.problem.calibrate import calibrate
from composable.problem.kinds import kind_of
from composable.problem.postprocessing import PostProcessing, postprocess
from composable.problem.problem import Head
from composable.problem.scores import score

TWO = Head("sold", "binary", ("sold",), ("no", "yes"))
MANY = Head("make", "multiclass", ("make",), ("a", "b", "c"))
LABELS = Head("tags", "multilabel", ("x", "y"), (0, 1))


def drawn(head, *, rows=1000, seed=0):
    """Logits and classes drawn from exactly the probabilities that the logits say."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (rows, head.width))
    p = postprocess(np, PostProcessing(kind_of(head).activation), logits)
    if head.kind == "multiclass":
        return logits, (p.cumsum(axis=1) < random.random((rows, 1))).sum(axis=1, keepdims=True).astype(float)
    return logits, (random.random(p.shape) < p).astype(float)


@pytest.mark.parametrize("head", [TWO, MANY, LABELS], ids=lambda head: head.kind)
@pytest.mark.parametrize("factor", [3.0, 0.4], ids=["too sure", "too timid"])
def test_the_temperature_is_found(head, factor):
    logits, observed = drawn(head)
    found = calibrate(head, logits * factor, observed, seed=0)
    assert found.temperature == pytest.approx(factor, rel=0.15)
    assert found.log_loss_after < found.log_loss_before - 0.01


@pytest.mark.parametrize("seed", range(5))
def test_what_is_calibrated_stays(seed):
    logits, observed = drawn(TWO, rows=10_000, seed=seed)
    found = calibrate(TWO, logits, observed, seed=seed)
    assert found.temperature == pytest.approx(1, abs=0.1)


def test_a_temperature_that_other_rows_do_not_confirm_is_dropped():
    """Noise alone: either half finds a temperature, neither helps the other half in most draws."""
    kept = []
    for seed in range(20):
        logits, observed = drawn(TWO, rows=60, seed=seed)
        found = calibrate(TWO, logits, observed, seed=seed)
        assert found.log_loss_after <= found.log_loss_before
        kept.append(found.temperature != 1.0)
    assert sum(kept) < 14


def test_the_loss_before_is_that_of_the_plain_probabilities():
    logits, observed = drawn(MANY)
    found = calibrate(MANY, logits, observed, seed=0)
    assert found.log_loss_before == score(
        "log_loss", MANY, observed, postprocess(np, PostProcessing("softmax"), logits)
    )


def test_members_are_calibrated_together():
    logits, observed = drawn(TWO)
    members = np.repeat(logits[:, None], 4, axis=1) * 3.0
    assert calibrate(TWO, members, observed, seed=0).temperature == pytest.approx(3, rel=0.15)


def test_few_rows_and_amounts_are_left_alone():
    logits, observed = drawn(TWO, rows=49)
    assert calibrate(TWO, logits * 9, observed, seed=0).temperature == 1
    amount = Head("price", "regression", ("price",))
    assert calibrate(amount, np.zeros((99, 1)), np.zeros((99, 1)), seed=0).temperature == 1
