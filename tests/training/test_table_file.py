"""A file of which a sample is held: what is fed from it to a network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from composable.auto.options import FitOptions
from composable.auto.prepare import completed, prepare, read, understand_table
from composable.problem.postprocessing import PostProcessing
from composable.training.dataset import Dataset, load_dataset, save_dataset

ROWS, HELD = 1200, 200


def prepared(tmp_path, table, **options):
    table.to_csv(tmp_path / "t.csv", index=False)
    stated = FitOptions(sample_rows=HELD, **options)
    table, notices = read(tmp_path / "t.csv", stated), []
    stated = completed(stated, table)
    return prepare(understand_table(table, stated, notices.append), stated, notices.append)


def numbered(rows=ROWS):
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "x": random.normal(size=rows).round(6),
            "y": np.arange(rows) / 4,
            "color": random.choice(["red", "green", "blue"], rows, p=[0.2, 0.3, 0.5]),
            "counts": random.integers(1, 5, rows),
        }
    )


def fed(found):
    fold = found.split.folds[0]
    heads = len(found.understood.problem.heads)
    feed = found.material.file.feed(found.understood.problem, fold, [PostProcessing()] * heads)
    return feed, list(feed.chunks(seed=0, epoch=0, rows=500))


def test_rows_that_are_held_out_or_kept_from_all_folds_are_never_fed(tmp_path):
    found = prepared(tmp_path, numbered(), target=("y",), drop=("color", "counts"))
    _, chunks = fed(found)
    numbers = np.sort(np.concatenate([chunk.targets[0].ravel() for chunk in chunks]) * 4).round().astype(int)
    fold = found.split.folds[0]
    left_out = found.material.file.rows[np.concatenate([fold.held_out, fold.test])]
    assert len(left_out) > 20
    assert numbers.tolist() == sorted(set(range(ROWS)) - set(left_out.tolist()))


def test_rows_with_the_features_of_a_held_out_row_teach_nothing(tmp_path):
    table = numbered()
    table["x"] = np.repeat(table["x"][: ROWS // 4].to_numpy(), 4)
    table["y"] = table["x"] * 2
    found = prepared(tmp_path, table, target=("y",), drop=("color", "counts"), allow_leaks=True)
    _, chunks = fed(found)
    fold = found.split.folds[0]
    held = set(found.material.inputs["numbers"][np.concatenate([fold.held_out, fold.test]), 0].tolist())
    known = np.concatenate([np.isfinite(chunk.targets[0]).ravel() for chunk in chunks])
    values = np.concatenate([chunk.inputs["numbers"][:, 0] for chunk in chunks])
    assert not set(values[known].tolist()) & held
    assert set(values[~known].tolist()) <= held
    assert (~known).any()


@pytest.mark.parametrize("balanced", [None, "balanced"])
def test_weights_are_those_of_the_sample(tmp_path, balanced):
    options = {"target": ("color",), "drop": ("y",), "weight": "counts", "class_weight": balanced}
    found = prepared(tmp_path, numbered(), **options)
    feed, chunks = fed(found)
    held = feed.frame(found.material.file.rows)
    features = zip(held["color"], held["counts"], strict=True)
    of_sample = dict(zip(features, found.material.weights, strict=True))
    fed_weights = {round(float(w), 4) for chunk in chunks for w in chunk.weights}
    assert fed_weights == {round(float(w), 4) for w in of_sample.values()}


def test_other_processes_read_the_same_rows(tmp_path):
    found = prepared(tmp_path, numbered(), target=("y",), drop=("color", "counts"))
    save_dataset(Dataset(found.material, found.split.folds), tmp_path / "dataset")
    again = load_dataset(tmp_path / "dataset").material
    assert again.file.file == found.material.file.file
    np.testing.assert_array_equal(again.file.rows, found.material.file.rows)
