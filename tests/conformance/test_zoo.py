"""One suite over every family of the zoo: the same questions to its smallest member."""

import importlib

import keras
import numpy as np
import pytest

from composable.design import Architecture, Input
from composable.design.inputs import as_inputs
from composable.design.outline import outline
from composable.design.taps import tap
from composable.zoo import catalogue
from composable.zoo.catalogue import FAMILIES
from composable.zoo.catalogue.family import Family

ROWS = 4
families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def smallest(family: Family) -> Architecture:
    return catalogue.made(family, dict(family.smallest.metaparameters))


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
    for architecture in (smallest(family), catalogue.search_space(family.name)):
        assert Architecture.from_json(architecture.to_json()) == architecture


@families
def test_every_published_member_is_made(family):
    for name in family.members:
        assert catalogue.architecture(name).tasks


@families
def test_it_says_what_it_is_and_where_it_is_written(family):
    module = importlib.import_module(f"composable.zoo.{family.module or family.name}")
    assert module.__doc__
    assert module.__doc__.partition("\n")[0].endswith((".", ":"))
    assert (getattr(module, family.name).__doc__ or "").strip()
    assert any(character.isdigit() for character in family.paper)  # a year, or an arXiv number


@families
def test_it_builds_with_taps_learns_and_comes_back_with_keras_alone(family, tmp_path):
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

    targets = [np.random.default_rng(1).uniform(size=each.shape).astype("float32") for each in before]
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    several = isinstance(model.output, dict)  # whose outputs came in the order of their names
    wanted = dict(zip(sorted(model.output), targets, strict=True)) if several else targets[0]
    losses = [float(np.ravel(model.train_on_batch(x, wanted))[0]) for _ in range(8)]
    assert min(losses[-3:]) < losses[0]


@families
def test_its_search_space_is_open_and_what_is_drawn_from_it_builds(family):
    space = catalogue.search_space(family.name)
    assert space.openings()
    rng = np.random.default_rng(0)
    drawn = space.fill(lambda _, opening: opening.draw(rng))
    assert not drawn.openings()
    outline(drawn, family.smallest.inputs)
