"""One suite over every network that the search may try, for every kind of head."""

import keras
import numpy as np
import pytest

from composable.amalgamation import EnsembleMember, average
from composable.core.budget import Deadline
from composable.data.split import Fold
from composable.deploy.safe_load import load_model
from composable.design import Architecture
from composable.design.part import COMPONENTS
from composable.design.taps import tap
from composable.engine.predict import predict
from composable.modality import candidates, families
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.training.candidate import Candidate, Material
from composable.training.folds import FoldTrainer

HEADS = {
    "regression": (Head("y", "regression", ("y",)),),
    "binary": (Head("y", "binary", ("y",), ("no", "yes")),),
    "multiclass": (Head("y", "multiclass", ("y",), ("a", "b", "c")),),
    "multilabel": (Head("y", "multilabel", ("y", "z"), (0, 1)),),
    "two heads": (Head("y", "regression", ("y",)), Head("z", "multiclass", ("z",), ("a", "b", "c"))),
}
VOCABULARIES = {"words": 20, "ngrams": 50, "characters": 30}
SIZES = (4, 40)  # one column that is one-hot, one that is embedded
ROWS = 60


def material(heads: tuple[Head, ...]) -> Material:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(ROWS, 3)).astype("float32")
    numbers[::7, 1] = np.nan
    inputs = {
        "numbers": numbers,
        "dates": rng.uniform(-5000, 9000, (ROWS, 1)).astype("float32"),
        "categories": np.stack([rng.integers(0, size, ROWS) for size in SIZES], 1).astype("int32"),
        **{name: rng.integers(0, size, (ROWS, 8)).astype("int32") for name, size in VOCABULARIES.items()},
    }
    targets = []
    for head in heads:
        if head.kind == "regression":
            targets.append(1000 + 50 * numbers[:, :1].astype("float64"))
        else:
            classes = 3 if head.kind == "multiclass" else 2
            targets.append(rng.integers(0, classes, (ROWS, len(head.targets))).astype(float))
    return Material(Problem(heads, "rmse"), inputs, tuple(targets), SIZES, vocabularies=VOCABULARIES)


def first_candidates(given: Material) -> dict[str, Candidate]:
    """The portfolio and a draw from each open architecture."""
    facts = DataFacts(given.problem, ROWS, given.widths, SIZES, VOCABULARIES)
    portfolio = list(candidates(facts, seed=0, max_epochs=2))
    drawn = [
        family.closed(lambda _, opening: opening.draw(np.random.default_rng(0)), f"{family.name}_0")
        for family in families(facts, portfolio, max_epochs=2)
        if family.usual.architecture.openings()
    ]
    return {candidate.name: candidate for candidate in (*portfolio, *drawn)}


CASES = [(name, kind) for kind, heads in HEADS.items() for name in first_candidates(material(heads))]
NAMES = list(first_candidates(material(HEADS["binary"])))


def candidate(name: str, given: Material) -> Candidate:
    return first_candidates(given)[name]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_network_builds_trains_deploys_and_comes_back(name, kind, tmp_path):
    given = material(HEADS[kind])
    trainer = FoldTrainer(candidate(name, given), given)
    rows = np.arange(ROWS)
    fold = Fold(rows[:40], rows[40:50], rows[50:])
    (trained,) = trainer.train({0: fold}, seed=1, deadline=Deadline())
    assert [len(h) for h in trained.held_out] == [10] * len(HEADS[kind])

    network = trainer.build()
    network.set_weights(trained.weights)
    model = average([EnsembleMember(network, trained.postprocessing)])
    assert len(keras.tree.flatten(tap(model, "probabilities").output)) == len(HEADS[kind])
    assert len(keras.tree.flatten(tap(model, "embedding").output)) == len(HEADS[kind])  # of its one network
    strange = given.at(rows[:6])
    strange["numbers"][0] = (1e30, -1e30, np.nan)
    strange["categories"][1] = 0
    outputs = predict(model, strange)
    for head, output in zip(HEADS[kind], outputs, strict=True):
        assert output.shape == (6, head.width)
        assert np.isfinite(output).all()
        if head.kind == "regression":
            y = given.targets[0][:40]
            assert y.min() - 1e-3 <= output.min() <= output.max() <= y.max() + 1e-3
        else:
            assert 0 <= output.min() <= output.max() <= 1
        if head.kind == "multiclass":
            np.testing.assert_allclose(output.sum(axis=1), 1, atol=1e-5)

    model.save(tmp_path / "m.keras")
    again = predict(load_model(tmp_path / "m.keras"), strange)
    for before, after in zip(outputs, again, strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", NAMES)
def test_an_architecture_comes_back_from_json(name):
    architecture = candidate(name, material(HEADS["two heads"])).architecture
    assert Architecture.from_json(architecture.to_json()) == architecture


@pytest.mark.parametrize("name", NAMES)
def test_taps_are_ordinary_sub_models(name):
    given = material(HEADS["multiclass"])
    model = candidate(name, given).architecture.build(given.shapes)
    assert type(model) is keras.Model or type(model).__name__ == "Functional"
    inputs = given.at(np.arange(5))
    assert predict(tap(model, "embedding"), inputs)[0].shape[0] == 5
    assert predict(tap(model, "logits"), inputs)[0].shape[-1] == 3
    np.testing.assert_allclose(predict(tap(model, "probabilities"), inputs)[0].sum(axis=1), 1, atol=1e-5)
    with pytest.raises(ValueError, match="no tap"):
        tap(model, "nowhere")


@pytest.mark.parametrize("name", sorted(COMPONENTS))
def test_a_component_says_what_it_is(name):
    first_line = (COMPONENTS[name].__doc__ or "").partition("\n")[0]
    assert first_line.endswith(".")
