"""Real tables of every kind, end to end, where they lie beside the project in `shared/data`."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from composable.cli.main import run

TABLES = Path(__file__).parents[3] / "shared" / "data" / "tables"
YEAST = [f"Class{number}" for number in range(1, 15)]
WORK = {  # file -> targets, further options
    "auto_imports.csv": (["price"], []),
    "horse_colic.csv": (
        ["surgical_lesion"],
        [
            "--drop",
            "outcome",
            "--drop",
            "lesion_1",
            "--drop",
            "lesion_2",
            "--drop",
            "lesion_3",
            "--drop",
            "cp_data",
        ],
    ),
    "ames_housing.csv.gz": (["price"], ["--drop", "PID"]),
    "yeast_multilabel.csv.gz": (YEAST, ["--problem", "multilabel"]),
    "energy_efficiency.csv": (["heating_load", "cooling_load"], []),
    "letter_recognition.csv.gz": (["lettr"], []),
    "mammography.csv.gz": (["calcification"], ["--metric", "average_precision"]),
    "adult_train.csv.gz": (["income"], ["--test", str(TABLES / "adult_test.csv.gz")]),
    "bike_sharing_hour.csv.gz": (
        ["cnt"],
        ["--split", "time:dteday", "--drop", "casual", "--drop", "registered"],
    ),
    "tate_artworks.csv.gz": (["year"], ["--metric", "mae"]),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TABLES.is_dir(), reason="the shared tables don't lie beside the project"),
]


@pytest.mark.parametrize("file", WORK)
def test_a_real_table_from_file_to_exported_model(file, tmp_path, capsys):
    targets, options = WORK[file]
    named = [flag for target in targets for flag in ("--target", target)]
    folder = tmp_path / "run"
    assert (
        run(
            [
                "fit",
                str(TABLES / file),
                *named,
                *options,
                "--time-limit",
                "30",
                "--out",
                str(folder),
                "--json",
            ]
        )
        == 0
    )
    rows = {row["model"]: row for row in json.loads(capsys.readouterr().out)["leaderboard"]}
    deployed = next(row for row in rows.values() if row["deployed"])
    nothing = rows["constant_predictor"]
    sign = 1 if deployed["higher_is_better"] else -1
    assert sign * deployed["validation"] > sign * nothing["validation"]
    assert sign * deployed["expected"] > sign * nothing["validation"]

    head = pd.read_csv(TABLES / file, nrows=50)
    head.drop(columns=targets).to_csv(tmp_path / "new.csv", index=False)
    assert run(["predict", str(folder), str(tmp_path / "new.csv"), "--out", str(tmp_path / "out.csv")]) == 0
    answers = pd.read_csv(tmp_path / "out.csv")
    assert len(answers) == 50
    expected = [f"prediction_{target}" for target in targets] if len(targets) > 1 else ["prediction"]
    assert set(expected) <= set(answers)
    assert np.isfinite(answers.select_dtypes("number")).all(axis=None)
    assert run(["export", str(folder), "--format", "onnx", "--out", str(tmp_path / "onnx")]) == 0
    assert (tmp_path / "onnx" / "model.onnx").stat().st_size > 1000
