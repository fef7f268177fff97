"""One suite over every family of the zoo: the same questions to its smallest member."""

import importlib

import keras
import numpy as np
import pytest
from keras import ops

from composable.core.budget import Deadline
from composable.design import Architecture, Input
from composable.design.building import outline
from composable.design.inputs import as_inputs
from composable.design.taps import tap
from composable.engine.cohort import Cohort, Instance
from composable.engine.objective import Goal
from composable.engine.rows import Rows
from composable.engine.settings import Settings
from composable.engine.train import train
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES
from composable.zoo.catalog.family import Family

ROWS = 4
families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
# Deep networks, whose gradients take long to compile; their kinds of blocks are among the others as well.
DEEP = {"efficientnet", "inception_v3", "mobilenet_v1", "mobilenet_v3", "resnet_v2", "xception"}
trained_families = pytest.mark.parametrize(
    "family",
    [
        pytest.param(one, id=name, marks=[pytest.mark.slow] if name in DEEP else [])
        for name, one in FAMILIES.items()
    ],
)


def smallest(family: Family) -> Architecture:
    return catalog.made(family, dict(family.smallest.metaparameters))


def rows(family: Family):
    """A few rows of random input, of a type that fits."""
    rng = np.random.default_rng(0)

    def drawn(one: Input):
        shape = (ROWS, *(size or 12 for size in one.shape))
        if one.dtype.startswith("int"):
            return rng.integers(0, 4, shape).astype(one.dtype)
        return rng.uniform(0, 1, shape).astype(one.dtype)

    inputs = as_inputs(family.smallest.inputs)
    return {name: drawn(i) for name, i in inputs.items()} if isinstance(inputs, dict) else drawn(inputs)


def outputs(model, x):
    return [np.asarray(each) for each in keras.tree.flatten(model.predict_on_batch(x))]


@families
def test_it_comes_back_from_json(family):
    for architecture in (smallest(family), catalog.search_space(family.name)):
        assert Architecture.from_json(architecture.to_json()) == architecture


@families
def test_every_published_member_is_made(family):
    for name in family.members:
        assert catalog.architecture(name).tasks


@families
def test_it_says_what_it_is_and_where_it_is_written(family):
    module = importlib.import_module(f"composable.zoo.{family.module or family.name}")
    assert module.__doc__
    assert module.__doc__.partition("\n")[0].endswith((".", ":"))
    assert (getattr(module, family.name).__doc__ or "").strip()
    assert any(character.isdigit() for character in family.paper)  # a year, or an arXiv number


@families
def test_it_builds_with_taps_and_comes_back_with_keras_alone(family, tmp_path):
    keras.utils.set_random_seed(1)
    x = rows(family)
    model = smallest(family).build(family.smallest.inputs)
    assert type(model).__name__ == "Functional"
    before = outputs(model, x)
    tapped = [tap(model, name).output for name in ("encoding", "embedding")]
    assert all(np.isfinite(each).all() for each in before + outputs(keras.Model(model.input, tapped), x))

    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    for one, other in zip(before, outputs(again, x), strict=True):
        np.testing.assert_array_equal(one, other)


@trained_families
def test_three_instances_of_it_learn_in_one_cohort(family):
    """At rates of their own; each can be taken out, and says what it said in the cohort."""
    made = cohort(family, rates=(1e-3, 3e-3, 0.0))
    histories = train(made, deadline=Deadline())
    for history in histories[:2]:
        assert min(epoch.loss for epoch in history.epochs) < history.epochs[0].loss
    together_outputs = made.program.outputs([np.arange(ROWS)] * 3)
    for number in (0, 1):
        expected = outputs(made.take(number), rows(family))
        for one, other in zip(together_outputs[number], expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4)


@pytest.mark.slow
@families
def test_an_instance_in_a_cohort_is_what_it_is_alone(family):
    together, alone = cohort(family, rates=(1e-3, 3e-3, 0.0)), cohort(family, rates=(1e-3,))
    together_histories, (alone_history,) = (train(one, deadline=Deadline()) for one in (together, alone))
    losses = [[epoch.loss for epoch in one.epochs[:3]] for one in (together_histories[0], alone_history)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-2)


def cohort(family: Family, rates: tuple[float, ...]) -> Cohort:
    """One instance per learning rate, eight steps on four rows of random targets."""
    keras.utils.set_random_seed(1)
    model = smallest(family).build(family.smallest.inputs)
    x = rows(family)
    inputs = x if isinstance(x, dict) else {"only": x}
    rng = np.random.default_rng(1)
    targets = tuple(rng.uniform(size=each.shape).astype("float32") for each in outputs(model, x))
    goals = tuple(Goal(mean_squared_error, mean_squared_error) for _ in targets)
    instances = tuple(
        Instance(np.arange(ROWS), np.arange(ROWS), 0, Settings(learning_rate=rate, epochs=8, patience=None))
        for rate in rates
    )
    return Cohort(model, goals, Rows(inputs, targets), instances)


def mean_squared_error(y, predicted, smoothing=0.0):
    """Over everything but the rows."""
    return ops.mean(ops.square(y - predicted), axis=tuple(range(1, len(predicted.shape))))


@families
def test_its_search_space_is_open_and_what_is_drawn_from_it_builds(family):
    space = catalog.search_space(family.name)
    assert space.openings()
    rng = np.random.default_rng(0)
    drawn = space.fill(lambda _, opening: opening.draw(rng))
    assert not drawn.openings()
    outline(drawn, family.smallest.inputs)
