"""The committed sizes of the zoo are those of its members."""

import json

import pytest

from composable.zoo import catalog
from composable.zoo.catalog import figures as module
from composable.zoo.catalog.figures import Figures, figures, listing, measure, measured

AGAIN = "`make figures` counts them anew"
SAMPLE = list(catalog.MEMBERS)[::12]


def test_every_member_has_its_sizes_and_nobody_else():
    assert list(figures()) == list(catalog.MEMBERS), AGAIN


@pytest.mark.parametrize("name", SAMPLE)
def test_the_sizes_of_some_members_are_true(name):
    assert figures()[name] == measured(name), AGAIN


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in catalog.MEMBERS if name not in SAMPLE])
def test_the_sizes_of_the_others_are_true(name):
    assert figures()[name] == measured(name), AGAIN


def test_one_broken_member_does_not_keep_the_others_from_being_counted():
    found, failed = measure(["resnet34", "no_such_member"])
    assert list(found) == ["resnet34"]
    assert "no_such_member" in failed["no_such_member"]


def test_the_file_is_written_as_it_is_read(monkeypatch, tmp_path, capsys):
    path, committed = tmp_path / "figures.json", module.FILE
    monkeypatch.setattr(module, "FILE", path)
    monkeypatch.setattr(module, "measure", lambda names: ({"a": Figures(3, 2, 1)}, {"b": "two\nlines"}))
    assert module.main() == 1
    assert json.loads(path.read_text()) == {"a": {"parameters": 3, "trainable": 2, "multiply_adds": 1}}
    assert "b: two lines\n1 members counted, 1 failed" in capsys.readouterr().err
    assert committed.is_file()


def test_a_list_has_every_member_of_a_modality_or_a_size():
    assert [row["name"] for row in listing()] == list(catalog.MEMBERS)
    assert all(row["modality"] == "image" for row in listing("image"))
    names = [row["name"] for row in listing("image", 22e6)]
    assert "resnet34" in names
    assert "resnet50" not in names
