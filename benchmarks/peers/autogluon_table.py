"""AutoGluon on one table, in its own environment: `python autogluon_table.py FOLDER TARGET METRIC SECONDS`.

Learns `FOLDER/train.csv` with the preset medium_quality and writes what it predicts for `FOLDER/test.csv` to
`FOLDER/peer.csv`.
"""

import sys
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

folder, (target, metric, seconds) = Path(sys.argv[1]), sys.argv[2:]
train, test = (pd.read_csv(folder / name) for name in ("train.csv", "test.csv"))
predictor = TabularPredictor(target, eval_metric=metric, path=str(folder / "autogluon"), verbosity=0)
predictor.fit(train, presets="medium_quality", time_limit=float(seconds))
predictor.predict(test).to_frame("prediction").to_csv(folder / "peer.csv", index=False)
