"""Large files are answered part after part: the same answers, in few rows at a time."""

from __future__ import annotations

import pandas as pd
import pytest

from composable.core.errors import DataError
from composable.data import read, text_file
from composable.deploy import bundle as bundles


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    import composable

    folder = tmp_path_factory.mktemp("large")
    table = rows(80)
    table.to_csv(folder / "train.csv", index=False)
    return composable.fit(
        folder / "train.csv", target="price", design="linear", max_trials=1, max_epochs=2, out=folder / "run"
    )


def rows(count):
    import numpy as np

    random = np.random.default_rng(0)
    size, make = random.normal(size=count).round(3), random.choice(["audi", "bmw", "citroen"], count)
    return pd.DataFrame(
        {
            "id": [f"n{number}" for number in range(count)],
            "size": size,
            "make": make,
            "sold on": pd.date_range("2020-01-03", periods=count, freq="3D").strftime("%Y-%m-%d"),
            "price": (2 * size + (make == "bmw")).round(3),
        }
    )


@pytest.fixture
def in_parts(monkeypatch):
    monkeypatch.setattr(bundles, "LARGE", 0)
    monkeypatch.setattr(text_file, "_CHUNK_CELLS", 5 * 20)
    monkeypatch.setattr(read, "_ROWS", 20)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_parts_have_the_answers_of_the_whole(tmp_path, run, in_parts, kind):
    path = tmp_path / f"new.{kind}"
    table = rows(110)
    table.to_csv(path, index=False) if kind == "csv" else table.to_parquet(path)
    found = list(run.bundle.answer_parts(path, ids=["id"]))
    assert [len(part.frame) for part in found] == [20, 20, 20, 20, 20, 10]
    together = pd.concat([part.frame for part in found], ignore_index=True)
    expected = run.bundle.predict(path, ids=["id"])
    pd.testing.assert_frame_equal(together, expected, check_exact=False, rtol=1e-5)


def test_the_command_line_writes_parts_as_one_file_and_says_things_once(tmp_path, run, in_parts, command):
    table = rows(110).assign(make="tesla")
    table.to_csv(tmp_path / "new.csv", index=False)
    out = tmp_path / "answers.csv"
    done = command("predict", run.path, tmp_path / "new.csv", "--out", out)
    assert done.code == 0, done.err
    assert len(pd.read_csv(out)) == 110
    assert done.err.count("make") == 1
    assert "110 predictions" in done.err


def test_a_bad_cell_in_a_later_part_is_named_by_its_row_and_nothing_stays(tmp_path, run, in_parts, command):
    table = rows(110).astype({"size": str})
    table.loc[96, "size"] = "wide"
    table.to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(DataError, match="row 97: 'wide'"):
        list(run.bundle.answer_parts(tmp_path / "new.csv"))
    out = tmp_path / "answers.csv"
    done = command("predict", run.path, tmp_path / "new.csv", "--out", out)
    assert done.code == 2
    assert not list(tmp_path.glob("answers*"))
