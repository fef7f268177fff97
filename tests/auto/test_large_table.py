"""Files of which a sample is held: choosing by the sample, learning from all rows, an honest score."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import composable
from composable.auto import large_table
from composable.auto.further_training import learn_from_whole_file
from composable.core.errors import ConfigError, DataError
from composable.engine import segments
from composable.training import run_job, table_file

ROWS, HELD = 3000, 300
QUICK = {"design": "mlp(units=32)", "max_trials": 1, "max_epochs": 4, "sample_rows": HELD}


def many_shops(rows: int = ROWS) -> pd.DataFrame:
    """A price that follows from shops so many that a sample shows each a few times only."""
    random = np.random.default_rng(0)
    shop, size = random.integers(0, 60, rows), random.normal(size=rows)
    effects = random.normal(size=60)
    price = effects[shop] + size + 0.1 * random.normal(size=rows)
    return pd.DataFrame(
        {
            "size": size.round(4),
            "shop": [f"s{one}" for one in shop],
            "price": price.round(4),
            "dear": np.where(price > 0.2, "yes", "no"),
        }
    )


@pytest.fixture
def shops(tmp_path):
    path = tmp_path / "shops.csv"
    many_shops().to_csv(path, index=False)
    return path


def fitted(path, out, target="price", **options):
    other = "dear" if target == "price" else "price"
    return composable.fit(path, target=target, drop=other, out=out, **{**QUICK, **options})


def texts(run) -> str:
    return " ".join(notice.text for notice in run.notices)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_best_network_learns_from_all_rows_of_which_few_are_held(tmp_path, shops, kind, monkeypatch):
    monkeypatch.setattr(segments, "CHUNK", 256)
    frames, encode = [], table_file.encode
    monkeypatch.setattr(
        table_file, "encode", lambda frame, *a, **k: frames.append(frame) or encode(frame, *a, **k)
    )
    path = shops
    if kind == "parquet":
        path = tmp_path / "shops.parquet"
        many_shops().to_parquet(path, row_group_size=500)
    run = fitted(path, tmp_path / "run")
    assert max(map(len, frames)) <= 256
    assert json.loads((run.path / "profile.json").read_text())["rows"] == HELD
    assert "has learned from the whole file" in texts(run)
    assert len(run.bundle.card.members[0].postprocessing) == 1
    truth = run.evaluate(path)["rmse"]
    expected = run.facts["expected"]
    assert truth < 0.9 * run.candidates()[0]["validation"]
    assert expected["value"] == pytest.approx(truth, rel=0.8)
    learned = pd.concat(frames[: len(frames) // 3 + 1])  # of one of the epochs
    assert len(learned) > 0.7 * ROWS


def test_what_unseen_rows_speak_against_is_not_deployed(tmp_path, shops, monkeypatch):
    learn = run_job.learn_from_file

    def learns_nonsense(*given):
        network = learn(*given)
        return replace(network, test=[head + 100 for head in network.test])

    monkeypatch.setattr(run_job, "learn_from_file", learns_nonsense)
    run = fitted(shops, tmp_path / "run")
    assert "speak against it" in texts(run)
    assert len(run.bundle.card.members[0].postprocessing) > 1
    assert run.facts["status"] == "complete"


def test_a_fit_that_was_interrupted_while_it_learned_from_the_file_goes_on(tmp_path, shops, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(run_job, "learn_from_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fitted(shops, tmp_path / "run")
    run = fitted(shops, tmp_path / "run")
    assert run.facts["status"] == "complete"
    assert "has learned from the whole file" in texts(run)


def test_classes_and_weights_work_as_for_tables_in_memory(tmp_path):
    table = many_shops().assign(counts=np.random.default_rng(1).integers(1, 4, ROWS))
    table.to_csv(tmp_path / "t.csv", index=False)
    run = fitted(tmp_path / "t.csv", tmp_path / "run", "dear", weight="counts", class_weight="balanced")
    assert run.facts["status"] == "complete"
    assert "learned from the whole file" in texts(run)
    assert run.evaluate(tmp_path / "t.csv")["accuracy"] > 0.7


def test_where_nothing_was_trained_step_by_step_the_sample_is_said_to_be_all_that_is_known():
    solved = SimpleNamespace(network=SimpleNamespace(solver="ridge"), name="kernel")
    deployed, notes = SimpleNamespace(shares=((solved, 1.0),)), []
    prepared = SimpleNamespace(material=SimpleNamespace(targets=[np.zeros(HELD)]))
    book = SimpleNamespace(deployable=[solved], note=notes.append)
    assert learn_from_whole_file(deployed, SimpleNamespace(book=book, prepared=prepared)) is None
    assert "knows the sample of 300 rows" in notes[0]


@pytest.mark.parametrize("row", [1, 1777, 2500, 2999])
@pytest.mark.parametrize("cell", ["", "cheap"])
def test_a_bad_target_deep_in_the_file_is_named_by_its_row(tmp_path, row, cell):
    table = many_shops().astype({"price": str})
    table.loc[row - 1, "price"] = cell
    table.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match="value in a target") as refused:
        fitted(tmp_path / "t.csv", tmp_path / "run")
    assert f"first rows {row})" in str(refused.value) or f"first rows {row}\n" in str(refused.value)


def test_a_row_of_too_many_cells_deep_in_the_file_is_named_by_its_line(tmp_path, shops):
    lines = shops.read_text().splitlines()
    lines[2600] += ",1"
    shops.write_text("\n".join(lines))
    with pytest.raises(DataError, match="line 2601"):
        fitted(shops, tmp_path / "run")


def test_rows_of_a_class_that_the_sample_lacks_are_left_out_with_a_warning(tmp_path):
    table = many_shops()
    table.loc[1999, "dear"] = "perhaps"
    table.to_csv(tmp_path / "t.csv", index=False)
    run = fitted(tmp_path / "t.csv", tmp_path / "run", "dear")
    assert "1 rows (first rows 2000) are of classes that the sample doesn't hold" in texts(run)
    assert run.facts["status"] == "complete"


def test_rows_without_a_target_are_left_out_of_the_whole_file_where_that_is_allowed(tmp_path):
    table = many_shops()
    table.loc[[7, 1999], "price"] = np.nan
    table.to_csv(tmp_path / "t.csv", index=False)
    run = fitted(tmp_path / "t.csv", tmp_path / "run", drop_missing_target=True)
    assert "In the whole file 2 rows (first rows 8, 2000) have no target" in texts(run)


@pytest.mark.parametrize("split", ["group:shop", "time:size"])
def test_splits_that_need_all_rows_are_refused(tmp_path, shops, split):
    with pytest.raises(ConfigError, match="divided at random") as refused:
        fitted(shops, tmp_path / "run", split=split)
    assert f"--sample-rows {ROWS}" in str(refused.value)


def test_a_sample_is_for_files_and_their_columns(tmp_path, shops):
    with pytest.raises(ConfigError, match="CSV or Parquet file"):
        fitted(many_shops(), tmp_path / "run")
    with pytest.raises(DataError, match="file that can be read"):
        fitted(tmp_path / "none.csv", tmp_path / "run")
    with pytest.raises(ConfigError, match="weights are a column"):
        fitted(shops, tmp_path / "run", sample_weight=np.ones(ROWS))


def test_a_file_is_held_whole_where_the_memory_or_the_user_allows(tmp_path, shops, monkeypatch):
    assert not large_table.is_too_large(shops)
    options = composable.auto.options.FitOptions(target=("price",))
    assert large_table.read_sample(shops, options) is None
    assert large_table.read_sample(shops, replace(options, sample_rows=ROWS)) is None
    monkeypatch.setattr(large_table, "memory_gb", lambda: shops.stat().st_size * 7e-9)
    monkeypatch.setattr(large_table, "SAMPLE_ROWS", 500)
    sample = large_table.read_sample(shops, options)
    assert (len(sample.frame), sample.sample.total) == (500, ROWS)
    spread = np.histogram(sample.sample.rows, bins=5, range=(0, ROWS))[0]
    assert spread.min() > 60  # drawn over the whole file
