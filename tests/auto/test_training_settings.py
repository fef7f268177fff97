"""How networks are trained, set from every door."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import composable
from composable.auto.options import options_from
from composable.cli.fit import fit_options
from composable.core.errors import ConfigError
from composable.training.overrides import READERS

GUIDE = Path(__file__).parents[2] / "docs" / "guide.md"
MAPPING = {"learning_rate": 0.001, "averaging": "ema(decay=0.9)", "patience": None}
X = np.random.default_rng(0).normal(size=(120, 2))
ROWS = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": X[:, 0] + X[:, 1]})
TEXTS = ("learning_rate=0.001", "averaging=ema(decay=0.9)", "patience=none")


@pytest.mark.parametrize(("suffix", "write"), [(".yaml", yaml.safe_dump), (".json", json.dumps)])
@pytest.mark.parametrize("value", [MAPPING, list(TEXTS)], ids=["mapping", "list"])
def test_a_mapping_and_a_list_of_texts_mean_the_same(suffix, write, value, tmp_path):
    file = tmp_path / f"fit{suffix}"
    file.write_text(write({"training": value}))
    assert sorted(fit_options({}, file).training) == sorted(TEXTS)
    assert options_from({"training": value}, origin="Python").training == TEXTS


def test_every_network_is_trained_so(tmp_path):
    training = MAPPING | {"sam": 0.05, "batch_size": 32}
    run = composable.fit(ROWS, "y", max_trials=1, max_epochs=2, training=training, out=tmp_path / "run")
    trials = [json.loads(path.read_text()) for path in run.path.glob("trials/*/trial.json")]
    (settings,) = [trial["settings"] for trial in trials if trial.get("settings")]
    assert (settings["learning_rate"], settings["sam"], settings["batch_size"]) == (0.001, 0.05, 32)
    assert (settings["epochs"], settings["patience"]) == (2, None)
    assert "EMA(decay=0.9" in settings["averaging"]


def test_a_mistake_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ConfigError, match="learning_rate"):
        composable.fit(tmp_path / "absent.csv", "y", training={"lerning_rate": 1})


def test_parts_of_images_are_mixed_only_where_there_are_images(tmp_path):
    with pytest.raises(ConfigError, match="CutMix"):
        composable.fit(ROWS, "y", max_trials=1, training={"cutmix": 1.0}, out=tmp_path / "run")


def test_the_guide_names_every_setting():
    text = GUIDE.read_text(encoding="utf-8")
    assert [name for name in READERS if f"`{name}`" not in text] == []
