"""Columns of a table that name images."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from composable.core.errors import DataError
from composable.data.read import read_table


@pytest.fixture
def folder(tmp_path):
    for name in ("shop/photos/a.png", "shop/b.png", "outside.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((3, 3, 3), "uint8")).save(path)
    return tmp_path / "shop"


def table(folder, *names):
    path = folder / "goods.csv"
    pd.DataFrame({"photo": [*names], "price": range(len(names))}).to_csv(path, index=False)
    return path


def test_names_below_the_tables_folder_are_images(folder):
    found = read_table(table(folder, "photos/a.png", "b.png", "photos/../b.png"))
    assert found.sources["photo"].missing(["photos/a.png", "b.png", "photos/../b.png"]) == {}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../outside.png", "leads out of the table's folder"),
        ("photos/../../outside.png", "leads out of the table's folder"),
        ("link.png", "leads out of the table's folder"),
        ("{absolute}", "an absolute path"),
        ("https://example.org/a.png", "an address, no file"),
    ],
)
def test_other_names_are_refused_with_their_row(folder, name, why):
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    name = name.format(absolute=folder / "b.png")
    with pytest.raises(DataError, match=rf"row 2, .*{why}") as refused:
        read_table(table(folder, "b.png", name, "photos/a.png"))
    assert "relative to the table's folder" in (refused.value.remedy or "")


def test_a_program_may_name_any_file(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    names = ["b.png", str(folder / "b.png"), "../outside.png"]
    found = read_table(pd.DataFrame({"photo": names, "price": [1, 2, 3]}))
    assert found.sources["photo"].missing(names) == {}
