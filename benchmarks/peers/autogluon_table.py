"""AutoGluon on one regression, in its own environment: `autogluon_table.py FOLDER TARGET METRIC SECONDS`.

Learns `FOLDER/train.csv` with the preset medium_quality and writes what it predicts for `FOLDER/test.csv` to
`FOLDER/peer.csv`.
"""

import sys
from pathlib import Path

import pandas as pd
from autogluon.tabular import TabularPredictor

folder, (target, metric, seconds) = Path(sys.argv[1]), sys.argv[2:]
train, test = (pd.read_csv(folder / name) for name in ("train.csv", "test.csv"))
place = str(folder / "autogluon")
predictor = TabularPredictor(target, "regression", metric, place, verbosity=0)
predictor.fit(train, presets="medium_quality", time_limit=float(seconds))
predictor.predict(test).to_frame("prediction").to_csv(folder / "peer.csv", index=False)
