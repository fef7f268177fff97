"""The rows of a batch that are learned from."""

from __future__ import annotations

import numpy as np
import pytest
from keras import ops

from composable.core.errors import ConfigError
from composable.engine.objective import Batch, Goal, hardest, squared_error
from composable.engine.rows import on_host
from composable.engine.settings import Settings
from tests.engine.cohorts import ROWS, X, instance, trained

GOAL = Goal(squared_error, squared_error)


def test_the_rows_with_the_highest_losses_that_count_are_kept():
    outputs, right = np.zeros((5, 1), "float32"), np.array([[3], [np.nan], [9], [1], [4]], "float32")
    batch = Batch(
        {"numbers": ops.convert_to_tensor(np.arange(5.0))},
        (ops.convert_to_tensor(right),),
        ops.convert_to_tensor(np.array([True, True, False, True, True])),
        None,
    )
    kept = hardest((GOAL,), [ops.convert_to_tensor(outputs)], batch, 0.4)
    assert sorted(np.asarray(kept.inputs["numbers"]).tolist()) == [0.0, 4.0]
    assert sorted(np.asarray(kept.targets[0]).ravel().tolist()) == [3.0, 4.0]


def test_a_step_learns_from_them_alone():
    begun = trained(instance(epochs=1, batch_size=50, learning_rate=1e-12)).cohort.model
    errors = np.abs(on_host(begun({"numbers": X})) - ROWS.targets[0]).ravel()
    worst = np.argsort(-errors)[:20]
    some, alone = (
        trained(instance(epochs=2, batch_size=50, hardest_share=0.4)),
        trained(instance(epochs=1, batch_size=20, rows=worst)),
    )
    assert some.histories[0].epochs[0].loss == pytest.approx(alone.histories[0].epochs[0].loss, rel=1e-5)
    assert some.histories[0].epochs[1].loss < some.histories[0].epochs[0].loss


@pytest.mark.parametrize("share", [0.0, 1.5, -1.0])
def test_it_is_a_share(share):
    with pytest.raises(ConfigError, match="hardest_share must be"):
        Settings(hardest_share=share)
