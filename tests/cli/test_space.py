"""`space`: what would be searched, shown and written."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def auto_csv():
    return Path(__file__).parents[2] / "examples" / "auto_imports.csv"


def test_it_shows_paths_options_and_what_is_tried_first(command, auto_csv):
    done = command("space", auto_csv, "--target", "price", "--set", "mlp.units=96", "--exclude", "realmlp")
    assert done.code == 0, done.err
    assert "training.learning_rate" in done.out
    assert "64 | 96 | 128 | 192 | 256" in done.out
    assert "realmlp" not in done.out
    rows = json.loads(command("space", auto_csv, "--target", "price", "--json").out)
    (units,) = (row for row in rows if (row["family"], row["path"]) == ("mlp", "units"))
    assert units["options"]["choice"] == [128, 256, 512]
    assert units["portfolio"] == [256]


def test_options_that_are_parts_are_shown_by_their_components(command, auto_csv):
    done = command("space", auto_csv, "--target", "price", "--design", "mlp_space")
    assert "2 x mlp.dense_block | 3 x mlp.dense_block" in " ".join(done.out.replace("│", " ").split())


def test_what_it_writes_can_be_edited_and_taken(command, auto_csv, tmp_path):
    path = tmp_path / "space.json"
    assert command("space", auto_csv, "--target", "price", "--out", path).code == 0
    body = json.loads(path.read_text())
    body["families"] = {"mlp": {"units": {"choice": [8, 16]}}}
    path.write_text(json.dumps(body))
    rows = json.loads(command("space", auto_csv, "--target", "price", "--space", path, "--json").out)
    assert [(row["path"], row["options"]["choice"], row["portfolio"]) for row in rows] == [
        ("units", [8, 16], [16])
    ]
    assert command("space", auto_csv, "--target", "price", "--out", path).code == 2  # it may have been edited
