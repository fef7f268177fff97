"""`composable design`: what it prints, and what it refuses."""

import json
import subprocess
import sys
from typing import get_args
from xml.etree import ElementTree as ET

import pytest

from composable.cli import design
from composable.design import Architecture, Choice, Part
from composable.design.tasks import classifier
from composable.zoo import catalog
from composable.zoo.catalog.family import Modality
from composable.zoo.mlp import dense_block

SMALL = "resnet(blocks=(1, 2), filters=(4, 8), classes=3)"


def answer(done):
    assert (done.code, done.err) == (0, "")
    return json.loads(done.out)


def test_every_verb_of_it_explains_itself(command):
    shown = command("design", "--help")
    for verb in ("list", "show", "diff", "source", "search"):
        assert f"\n  {verb} " in shown.out
        assert "--json" in command("design", verb, "--help").out


def test_an_unknown_verb_names_the_nearest(command):
    assert "Did you mean 'show'?" in command("design", "shwo").err


def test_the_modalities_are_those_of_the_catalog():
    assert get_args(Modality) == design.MODALITIES


def test_list_imports_nothing_heavy():
    script = (
        "import sys; from composable.cli.main import run; run(['design', 'list'])\n"
        "print(sorted({'keras', 'jax', 'tensorflow', 'torch', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_list_names_every_design_with_its_size(command):
    rows = answer(command("design", "list", "--json"))
    assert [row["name"] for row in rows] == list(catalog.MEMBERS)
    row = next(row for row in rows if row["name"] == "resnet50")
    assert (row["family"], row["modality"], row["parameters"]) == ("resnet", "image", 25_636_712)
    assert "1512.03385" in row["paper"]
    assert "25,636,712" in command("design", "list").out


@pytest.mark.parametrize(("typed", "count"), [("22M", 22e6), ("22000k", 22e6), ("2.2e7", 22e6), ("1", 1)])
def test_list_keeps_what_is_small_enough(command, typed, count):
    rows = answer(command("design", "list", "--modality", "image", "--max-params", typed, "--json"))
    assert all(row["parameters"] <= count and row["modality"] == "image" for row in rows)
    assert ("resnet34" in [row["name"] for row in rows]) == (count > 1)


@pytest.mark.parametrize("typed", ["", "5X", "-1", "1e999", "NaN", "five"])
def test_a_count_that_is_none_is_refused(command, typed):
    refused = command("design", "list", "--max-params", typed)
    assert (refused.code, "5M, 500k, 1e6" in refused.err) == (2, True)


def test_show_answers_with_exactly_what_is_promised(command):
    assert answer(command("design", "show", "resnet50", "--json")) == {
        "name": "resnet50",
        "family": "resnet",
        "metaparameters": dict(catalog.family_of("resnet50").members["resnet50"]),
        "input_shape": [224, 224, 3],
        "parameters": {"total": 25_636_712, "trainable": 25_583_592},
        "multiply_adds": 3_857_973_248,
        "bytes": 102_546_848,
        "activation_bytes": 9_633_792,
    }


def test_show_prints_the_figure_and_the_costs(command):
    shown = command("design", "show", SMALL, "--input", "16,16,3")
    assert shown.code == 0
    for word in ("learner.1", "resnet.bottleneck", "tasks.classifier", "encoding", "multiply-adds"):
        assert word in shown.out


def test_show_draws(command, tmp_path):
    file = tmp_path / "new" / "figure.svg"
    done = command("design", "show", SMALL, "--input", "16,16,3", "--svg", file, "--json")
    assert json.loads(done.out)["input_shape"] == [16, 16, 3]
    assert str(file) in done.err
    ET.parse(file)


@pytest.mark.slow
def test_show_measures(command):
    done = answer(command("design", "show", SMALL, "--input", "16,16,3", "--latency", "--json"))
    assert all(0 < seconds < 10 for seconds in done["latency_seconds"].values())
    assert list(done["latency_seconds"]) == ["1", "32"]


def test_show_lists_what_a_search_space_leaves_open(command, tmp_path):
    done = answer(command("design", "show", "resnet_space", "--json"))
    assert {"parameters", "multiply_adds"}.isdisjoint(done)
    assert done["openings"]["learner.0.blocks"] == {"low": 1, "high": 3, "log": False}
    assert len(done["openings"]["block"]["options"]) > 1
    assert "open choices" in command("design", "show", "resnet_space").out
    for more in (("--latency",), ("--svg", tmp_path / "x.svg")):
        refused = command("design", "show", "resnet_space", *more)
        assert (refused.code, "open choices" in refused.err) == (2, True)
    assert not (tmp_path / "x.svg").exists()


def test_a_file_of_ones_own_needs_its_input(command, tmp_path):
    file = tmp_path / "mine.json"
    file.write_text(catalog.architecture("resnet", blocks=(1,), filters=(4,), classes=2).to_json())
    assert "--input 32,32,3" in command("design", "show", file).err
    done = answer(command("design", "show", file, "--input", "16,16,3", "--json"))
    assert (done["name"], done["family"], done["metaparameters"]) == ("mine", None, {})
    refused = command("design", "show", file, "--input", "16,16,3", "--svg", file)
    assert (refused.code, "--svg" in refused.err) == (2, True)


OWN = """
from keras import layers
from composable.design import Architecture, Part
from composable.design.tasks import regressor

def both(x):
    vectors = layers.Embedding(9, 4, name="vectors")(x["codes"])
    return layers.Concatenate()([layers.Flatten()(vectors), x["numbers"]])

def mixed():
    return Architecture(stem=Part(both), tasks=Part(regressor))
"""


def test_several_inputs_have_names_and_types(command, tmp_path, monkeypatch):
    (tmp_path / "own_mixed.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    inputs = ("--input", "codes=2:int32", "--input", "numbers=3")
    done = answer(command("design", "show", "own_mixed:mixed", *inputs, "--json"))
    assert done["input_shape"] == {"codes": [2], "numbers": [3]}
    assert done["parameters"]["total"] == 36 + 12
    refused = command("design", "show", "own_mixed:mixed", "--input", "2", "--input", "3")
    assert (refused.code, "different names" in refused.err) == (2, True)
    refused = command("design", "source", "own_mixed:mixed", *inputs, "--out", "own_mixed.py")
    assert (refused.code, (tmp_path / "own_mixed.py").read_text()) == (2, OWN)


@pytest.mark.parametrize("typed", ["", "a", "3,,3", "0,1", "-1", "3;4", "x="])
def test_a_shape_that_is_none_is_refused(command, typed):
    assert command("design", "show", SMALL, "--input", typed).code == 2


def test_an_input_that_does_not_fit_names_the_place(command):
    refused = command("design", "show", SMALL, "--input", "16,16")
    assert (refused.code, "stem" in refused.err, "Traceback" in refused.err) == (2, True, False)


def test_unknown_names_suggest_the_nearest(command):
    refused = command("design", "show", "resnet5")
    assert (refused.code, "did you mean `resnet50`" in refused.err) == (2, True)


def test_diff_shows_places_and_costs(command):
    done = answer(command("design", "diff", "resnet50", "resnet50(classes=10)", "--json"))
    assert done["differences"] == [{"path": "tasks.0.classes", "first": "1000", "second": "10"}]
    assert done["first"]["parameters"]["total"] - done["second"]["parameters"]["total"] == 990 * 2049
    shown = command("design", "diff", "resnet50", "resnet101").out
    assert "learner.2.blocks" in shown
    assert "44,707,176" in shown


def test_diff_of_the_same(command):
    assert "the same" in command("design", "diff", "resnet34", "resnet34").out
    assert "1 to 3" in command("design", "diff", "resnet34", "resnet_space").out


def test_source_is_python_on_standard_output_or_in_a_file(command, tmp_path):
    shown = command("design", "source", SMALL, "--input", "16,16,3")
    compile(shown.out, "model.py", "exec")
    assert "composable" not in shown.out.partition('"""\n\n')[2].lower()
    file = tmp_path / "model.py"
    assert str(file) in command("design", "source", SMALL, "--input", "16,16,3", "--out", file).out
    assert file.read_text() == shown.out
    done = answer(command("design", "source", SMALL, "--input", "16,16,3", "--json"))
    assert (done["name"], done["source"]) == ("resnet", shown.out)


@pytest.fixture
def space(tmp_path):
    """A file of a space: one or two groups of dense layers."""
    block = Part(dense_block, units=Choice((8, 16, 200), name="units"))
    path = tmp_path / "space.json"
    path.write_text(
        Architecture(learner=Choice(((block,), (block, block))), tasks=Part(classifier, classes=3)).to_json()
    )
    return str(path)


def test_search_ranks_networks_untrained_and_writes_the_best(command, space, tmp_path):
    best = tmp_path / "best.json"
    asked = ("design", "search", space, "--input", "5", "--draws", "2", "--max-params", "2k")
    done = command(*asked, "--out", str(best), "--json")
    found = json.loads(done.out)
    assert done.code == 0
    assert all(row["parameters"] <= 2_000 for row in found)
    assert found[0]["architecture"] == json.loads(best.read_text())
    shown = answer(command("design", "show", str(best), "--input", "5", "--json"))
    assert shown["parameters"]["trainable"] == found[0]["parameters"]
    assert found[0]["decisions"]["units"] in (8, 16)
    assert "most promising" in command(*asked).out


def test_search_refuses_a_closed_design_and_limits_that_nothing_keeps(command, space):
    closed = command("design", "search", SMALL, "--input", "8,8,3")
    assert closed.code == 2
    assert "leaves something open" in closed.err
    none = command("design", "search", space, "--input", "5", "--draws", "2", "--max-params", "3")
    assert none.code == 2
    assert "within its limits" in none.err
