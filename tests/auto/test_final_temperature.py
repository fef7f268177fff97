"""The final temperature of an average lands in everything that answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import composable
from composable.problem.calibrate import Calibration

TEMPERATURE = 0.5


def points(rows: int, seed: int) -> pd.DataFrame:
    """Two classes on the sides of a line that noise blurs."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 2)).round(4)
    kind = np.where(x[:, 0] + rng.normal(size=rows) > 0, "up", "down")
    return pd.DataFrame({"x": x[:, 0], "z": x[:, 1], "kind": kind})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    own = points(60, 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("composable.search.trial.final_calibrations", lambda *_: (Calibration(TEMPERATURE),))
        return composable.fit(
            points(120, 0),
            "kind",
            max_trials=1,
            metric="log_loss",
            test=own,
            out=tmp_path_factory.mktemp("points") / "run",
        )


def test_the_test_score_and_the_bundle_are_at_the_final_temperature(run):
    (best,) = [one for one in run.candidates() if one["deployed"]]
    assert run.bundle.card.final == ({"activation": "sigmoid", "temperature": TEMPERATURE},)
    assert best["test"] == pytest.approx(run.evaluate(points(60, 1))["log_loss"], rel=1e-4)


def test_a_trial_that_is_asked_answers_like_the_deployed_one(run):
    (best,) = [one for one in run.candidates() if one["deployed"]]
    rows = points(20, 2)
    deployed, asked = run.predict(rows), run.predict(rows, trial=best["trial"])
    np.testing.assert_allclose(asked["p_up"], deployed["p_up"], rtol=1e-5)


def test_the_emitted_source_holds_it(run):
    assert (
        f'average(members, (PostProcessing(activation="sigmoid", temperature={TEMPERATURE}),))'
        in run.source()
    )
