"""`--design`: a user's own choice of what to train, as a name, a call, JSON or a function."""

import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest

import composable
from composable.design import Architecture, Choice, Input, Part
from composable.design.building import outline
from composable.design.stems import piecewise_linear
from composable.design.tables import prepare
from composable.design.tasks import regressor
from composable.modality import candidates
from composable.modality.designed import fit_to_table
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES
from composable.zoo.catalog.parse import ParsedDesign
from composable.zoo.mlp import dense_block, mlp


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 2))
    kinds = rng.choice(["red", "green", "blue"], 60)
    return pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": kinds, "y": 2 * x[:, 0] + (kinds == "red")})


def fit(table, design, out, **more):
    return composable.fit(table, "y", design=design, max_trials=1, max_epochs=1, out=out, **more)


@pytest.mark.parametrize(
    "design",
    [
        "mlp(units=7, blocks=1)",
        pytest.param("seed_regressor", marks=pytest.mark.slow),
        "mlp_space",
        pytest.param("ft_transformer(width=8, blocks=1, heads=2)", marks=pytest.mark.slow),
    ],
)
def test_a_name_or_a_call_is_what_is_trained(table, design, tmp_path):
    run = fit(table, design, tmp_path / "run")
    networks = [row for row in run.candidates() if row["role"] == "network"]
    assert [row["model"] for row in networks] == [design.partition("(")[0]]
    assert len(run.predict(table.drop(columns="y"))) == len(table)
    if design.startswith("mlp("):
        layers = run.model.get_layer("network_0").layers
        hidden = [
            each.units for each in layers if type(each) is keras.layers.Dense and "logits" not in each.name
        ]
        assert hidden == [7]


def test_an_architecture_of_ones_own_is_fitted_to_the_table(table, tmp_path):
    own = Architecture(
        stem=Part(keras.layers.Dense, units=5, activation="relu"),
        learner=Part(dense_block, units=Choice((3, 4))),
        tasks=Part(regressor),
    )
    run = fit(table, own, tmp_path / "run")
    assert len(run.predict(table)) == len(table)  # a text category and missing values are taken care of
    again = fit(table, own, tmp_path / "run")  # the same design: the same run
    assert again.path == run.path
    other = mlp(units=3)
    with pytest.raises(composable.ConfigError, match="design"):
        fit(table, other, tmp_path / "run")


def test_json_on_disk_is_a_design_and_its_content_counts(table, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(mlp(units=5, blocks=1).to_json())
    run = fit(table, str(path), tmp_path / "run")
    assert "mine" in [row["model"] for row in run.candidates()]
    path.write_text(mlp(units=6, blocks=1).to_json())
    with pytest.raises(composable.ConfigError, match="another fit"):
        fit(table, str(path), tmp_path / "run")


@pytest.mark.parametrize(
    ("design", "says"),
    [
        ("mlpp", "did you mean `mlp`"),
        ("mlp(unit=3)", "did you mean `units`"),
        ("mlp(units=0)", "greater than or equal to 1"),
        ("resnet34", "takes image"),
        ("nowhere.json", "no design"),
        ("no_module_of_mine:design", "can't be used"),
        ('{"format": "composable.architecture/1"}', "composable.architecture/2"),
    ],
)
def test_what_is_no_design_for_a_table_is_refused_before_anything_is_written(table, design, says, tmp_path):
    with pytest.raises(composable.ComposableError, match=says) as refused:
        fit(table, design, tmp_path / "run")
    assert refused.value.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_a_design_that_does_not_fit_is_refused_by_place_before_any_trial(table, tmp_path):
    own = Architecture(stem=Part(keras.layers.Conv2D, filters=3, kernel_size=3), tasks=Part(regressor))
    with pytest.raises(composable.ConfigError, match="`stem` doesn't fit"):
        fit(table, own, tmp_path / "run")
    assert not (tmp_path / "run" / "trials").exists()


def test_a_design_beyond_the_machines_memory_is_refused_before_any_trial(table, tmp_path):
    with pytest.raises(composable.ConfigError, match=r"1,0\d\d,\d{3},\d{3},\d{3} parameters"):
        fit(table, "mlp(units=1_000_000, blocks=2)", tmp_path / "run")
    assert not (tmp_path / "run" / "trials").exists()


def test_a_layer_that_no_bundle_may_hold_is_refused_before_any_trial(table, tmp_path):
    own = Architecture(stem=Part(keras.layers.GaussianNoise, stddev=0.1), tasks=Part(regressor))
    with pytest.raises(composable.ConfigError, match="GaussianNoise"):
        fit(table, own, tmp_path / "run")


def test_a_pre_stem_left_open_is_fitted_to_the_table_in_every_option():
    numbers = Part(prepare, bins=Choice((0, 4)))
    either = Architecture(
        prestem=Choice((numbers, (Part(prepare, bins=8),))), stem=piecewise_linear, tasks=Part(regressor)
    )
    head = Head("y", "regression", ("y",))
    facts = DataFacts(Problem((head,), "rmse"), 100, {"numbers": 2, "categories": 1}, (5,))
    fitted = fit_to_table(either, facts)
    assert isinstance(fitted.prestem, Choice)
    assert [
        part.metaparameters["categories"] for part in (fitted.prestem.options[0], *fitted.prestem.options[1])
    ] == [(5,), (5,)]


@pytest.mark.slow
def test_components_of_ones_own_are_trained_and_written_out(table, tmp_path, monkeypatch):
    (tmp_path / "own_design.py").write_text(
        "from keras import layers\n"
        "from composable import Architecture, Part, component\n"
        "from composable.design.tasks import regressor\n\n\n"
        "@component\n"
        "def gated(x, *, units: int = 8):\n"
        "    return layers.Dense(units)(x) * layers.Dense(units, activation='sigmoid')(x)\n\n\n"
        "def design():\n"
        "    return Architecture(learner=Part(gated), tasks=Part(regressor))\n"
    )
    monkeypatch.chdir(tmp_path)
    fit(table, "own_design:design", tmp_path / "run")
    command = [sys.executable, "-m", "composable", "source", "run", "--out", "winner.py"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "own_design.gated" in refused.stderr
    subprocess.run([*command, "--import", "own_design"], capture_output=True, check=True)
    assert "def gated(x, *, units: int = 8):" in (tmp_path / "winner.py").read_text()


@pytest.fixture(scope="module")
def reviews():
    rng = np.random.default_rng(0)
    praise, blame = ("good", "fine", "lovely"), ("bad", "dull", "broken")
    rest = ("it", "was", "a", "film", "with", "much", "to", "see", "and", "hear")
    labels = rng.integers(0, 2, 80)
    words = [[*rng.choice(rest, 8), *rng.choice(praise if y else blame, 2)] for y in labels]
    texts = [" ".join(rng.permutation(each)) + f" number {n}" for n, each in enumerate(words)]
    return pd.DataFrame({"review": texts, "liked": np.where(labels, "yes", "no")})


def test_a_family_for_texts_reads_their_words(reviews, tmp_path):
    design = "text_cnn(width=8, filters=4)"
    run = composable.fit(reviews, "liked", design=design, max_trials=1, max_epochs=1, out=tmp_path / "run")
    board = run.leaderboard()
    assert board.loc[board["role"] == "network", "model"].tolist() == ["text_cnn"]
    assert len(run.predict(reviews.drop(columns="liked"))) == len(reviews)


@pytest.mark.parametrize("family", [each for each in FAMILIES.values() if each.modality == "text"])
def test_every_family_for_texts_is_fitted_to_the_words_there_are(family):
    heads = (Head("liked", "binary", ("liked",), ("no", "yes")), Head("stars", "regression", ("stars",)))
    facts = DataFacts(
        Problem(heads, "log_loss"), 80, {"words": 12, "ngrams": 30}, (), {"words": 9, "ngrams": 20}
    )
    smallest = catalog.made(family, dict(family.smallest.metaparameters))
    design = ParsedDesign(family.name, smallest, family=family.name)
    drawn = next(candidates(facts, seed=0, design=design)).architecture
    model, _ = outline(drawn, {name: Input((width,), "int32") for name, width in facts.widths.items()})
    sizes = [each.input_dim for each in model.layers if each.name == "word_vectors"]
    assert sizes in ([], [9])
    assert set(model.output) == {"head_0", "head_1"}


def test_a_family_for_texts_is_refused_where_other_columns_would_be_ignored(reviews, tmp_path):
    beside = reviews.assign(pages=np.arange(80) * 1.5)
    with pytest.raises(composable.ConfigError, match="modality table") as refused:
        composable.fit(beside, "liked", design="text_cnn", out=tmp_path / "run")
    assert "text_cnn takes text data" in refused.value.received
    assert not (tmp_path / "run").exists()
