"""A network that the clock stopped is of use if it got as far as the others did."""

import pytest

from composable.engine.watched import Epoch, History
from composable.training.unfinished import unfinished


def history(stopped, *held_out):
    epochs = tuple(Epoch(number, 0.0, loss, 0.1) for number, loss in enumerate(held_out))
    return History(epochs, min(range(len(epochs)), key=lambda n: held_out[n]) if epochs else -1, stopped)


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (history("deadline", 3.0, 2.5), True),
        (history("deadline", 3.0, 0.9), False),
        (history("patience", 3.0, 2.5), False),
        (history("deadline"), True),
    ],
)
def test_only_what_was_stopped_while_it_was_worse_than_all_others_is_unfinished(one, expected):
    others = [history("patience", 2.0, 0.7, 0.8), history("patience", 2.0, 1.0)]
    assert unfinished(one, others) is expected
