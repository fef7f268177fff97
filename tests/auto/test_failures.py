"""What goes wrong in a candidate stays in that candidate; what a test file holds stays out of the model."""

from __future__ import annotations

import json

import numpy as np
import pytest

import composable
from composable.auto.trainings import Trainings
from composable.cli.main import run as command
from composable.core.errors import DataError, NothingSucceeded
from composable.search.policy import MOST_ALIKE
from composable.training.folds import FoldTrainer

ONE = {"max_trials": 1, "max_epochs": 2}


@pytest.fixture
def csv(tmp_path, cars):
    cars[["size", "make", "sold on", "price"]].to_csv(tmp_path / "cars.csv", index=False)
    return tmp_path / "cars.csv"


@pytest.fixture
def break_training(monkeypatch):
    """Make the training of these candidates (all, if none is named) fail."""

    def arrange(*names, failure=None):
        train = FoldTrainer.train

        def broken(self, *arguments, **choices):
            if not names or self.candidate.name in names:
                raise failure or RuntimeError("diverged")
            return train(self, *arguments, **choices)

        monkeypatch.setattr(FoldTrainer, "train", broken)

    return arrange


@pytest.mark.parametrize(
    "failure",
    [
        RuntimeError("diverged"),
        pytest.param(MemoryError("full"), marks=pytest.mark.slow),
        pytest.param(ValueError("shape"), marks=pytest.mark.slow),
    ],
    ids=repr,
)
def test_a_candidate_that_fails_does_not_end_the_run(tmp_path, csv, break_training, failure):
    break_training("linear", failure=failure)
    run = composable.fit(csv, "price", max_trials=2, max_epochs=1, out=tmp_path / "run")
    rows = {row["model"]: row for row in run.candidates()}
    assert (rows["linear"]["status"], rows["linear"]["rank"]) == ("failed", len(rows))
    assert str(failure) in rows["linear"]["reason"]
    assert rows["kernel"]["deployed"]
    assert "Traceback" in (tmp_path / "run" / "trials" / "1" / "traceback.txt").read_text()
    assert run.facts["status"] == "complete"


def test_where_every_candidate_fails_the_reasons_are_told(tmp_path, csv, break_training):
    break_training()
    with pytest.raises(NothingSucceeded) as nothing:
        composable.fit(csv, "price", max_trials=2, out=tmp_path / "run")
    assert nothing.value.received == "2 times (linear, kernel): RuntimeError: diverged"
    assert "composable failures" in nothing.value.remedy
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"


def test_after_many_failures_of_one_cause_in_a_row_no_further_candidate_is_tried(
    tmp_path, csv, break_training
):
    break_training()
    with pytest.raises(NothingSucceeded, match=f"{MOST_ALIKE} times"):
        composable.fit(csv, "price", max_trials=MOST_ALIKE + 3, out=tmp_path / "run")
    run = composable.Run(tmp_path / "run")
    (cause,) = run.failures()
    assert (cause.count, cause.cause) == (MOST_ALIKE, "RuntimeError: diverged")
    assert "no further ones are tried" in run.notices[-1].text


def test_a_candidate_that_can_not_be_built_fails_alone_also_where_time_is_weighed(tmp_path, csv, monkeypatch):
    build = FoldTrainer.build

    def broken(self):
        if self.candidate.name == "kernel":
            raise LookupError("no such layer")
        return build(self)

    monkeypatch.setattr(FoldTrainer, "build", broken)
    run = composable.fit(csv, "price", time_limit=60, max_trials=2, max_epochs=1, out=tmp_path / "run")
    rows = {row["model"]: row for row in run.candidates()}
    assert "no such layer" in rows["kernel"]["reason"]
    assert rows["linear"]["deployed"]


def test_a_candidate_whose_predictions_have_no_score_fails_alone(tmp_path, csv, monkeypatch):
    """The metric of one's own is no number, infinite, or refuses, for what one candidate predicts."""
    (tmp_path / "own.py").write_text(
        "import numpy as np\ndef own_error(y, p):\n    return float(np.mean((y - p) ** 2))\n"
    )
    monkeypatch.chdir(tmp_path)
    conclude, outcomes = Trainings.conclude, [float("nan"), float("inf"), ValueError("refused")]

    def odd(self, trial):
        conclude(self, trial)
        if trial.name != "linear" and outcomes:
            if isinstance(outcome := outcomes.pop(), Exception):
                raise outcome
            trial.score = outcome

    monkeypatch.setattr(Trainings, "conclude", odd)
    run = composable.fit(
        csv, "price", metric="own:own_error", max_trials=4, max_epochs=1, out=tmp_path / "run"
    )
    reasons = {row["reason"] for row in run.candidates() if row["status"] == "failed"}
    assert reasons == {
        "its predictions could not be scored: refused",
        "its predictions have no finite score (inf)",
        "its predictions have no finite score (nan)",
    }
    assert next(row["model"] for row in run.candidates() if row["deployed"]) == "linear"


def test_where_nothing_succeeded_the_exit_code_is_4(tmp_path, csv, break_training, capsys):
    break_training()
    code = command(
        ["fit", str(csv), "--target", "price", "--max-trials", "1", "--out", str(tmp_path / "run")]
    )
    assert code == 4
    assert "No network could be trained" in capsys.readouterr().err


def test_after_all_failed_the_same_command_tries_again(tmp_path, csv, break_training, monkeypatch):
    with monkeypatch.context():
        break_training()
        with pytest.raises(NothingSucceeded):
            composable.fit(csv, "price", **ONE, out=tmp_path / "run")
        monkeypatch.undo()
    assert composable.fit(csv, "price", **ONE, out=tmp_path / "run").facts["status"] == "complete"


def fitted_state(run):
    """Everything that a fit leaves in the bundle's model and tables."""
    return [weight.tobytes() for weight in run.model.get_weights()], run.bundle.card.encoding


def test_the_persons_test_file_never_changes_what_is_fitted(tmp_path, cars):
    frame = cars[["size", "make", "sold on", "price"]]
    states = []
    for number, change in enumerate([{}, {"size": 1e4, "make": "other", "price": 99.0}]):
        test = tmp_path / f"test-{number}.csv"
        frame.tail(20).assign(**change).to_csv(test, index=False)
        run = composable.fit(frame.head(60), "price", **ONE, test=test, out=tmp_path / f"run-{number}")
        states.append(fitted_state(run))
        assert run.candidates()[0]["test"] is not None
    assert states[0] == states[1]


def test_rows_that_the_split_keeps_for_the_test_never_change_what_is_fitted(tmp_path, cars):
    frame = cars[["size", "make", "sold on", "price"]].assign(
        part=["train"] * 40 + ["val"] * 20 + ["test"] * 20
    )
    changed = frame.copy()
    changed.loc[60:, ["size", "price"]] = [1e4, 99.0]
    states = [
        fitted_state(composable.fit(data, "price", **ONE, split="column:part", out=tmp_path / str(number)))
        for number, data in enumerate([frame, changed])
    ]
    assert states[0] == states[1]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, -1.0], "index 1: -1.0"),
        ([1.0, 1.0, np.nan], "index 2: nan"),
        ([np.inf], "index 0: inf"),
    ],
)
def test_a_wrong_weight_is_named_by_its_index(tmp_path, csv, weights, message):
    weights = weights + [1.0] * (80 - len(weights))
    with pytest.raises(DataError) as refused:
        composable.fit(csv, "price", sample_weight=weights, out=tmp_path / "run")
    assert refused.value.received == message
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros(80), "not all be zero"),
        (np.ones(79), "one sample weight per row"),
        (["a"] * 80, "must be numbers"),
    ],
    ids=["zero", "too few", "words"],
)
def test_weights_that_cannot_be_are_refused(csv, weights, message):
    with pytest.raises(DataError, match=message):
        composable.fit(csv, "price", sample_weight=weights)


def test_rows_without_weight_are_not_learned_from(tmp_path, cars):
    """Half of the rows say the opposite, with no weight; one of them has no target at all."""
    honest = cars[["size", "make", "price"]]
    data = honest.assign(price=honest["price"].where(cars.index % 2 == 0, -10 * honest["price"]))
    data.loc[1, "price"] = np.nan
    weights = np.where(cars.index % 2 == 0, 2.0, 0.0)
    run = composable.fit(
        data,
        "price",
        max_trials=1,
        max_epochs=30,
        sample_weight=weights,
        drop_missing_target=True,
        split="random",
        out=tmp_path / "run",
    )
    assert np.corrcoef(run.predict(honest)["prediction"], honest["price"])[0, 1] > 0.5


def test_the_time_limit_holds_and_leaves_a_model(tmp_path, csv):
    """Far too short for anything but the first network, which must come to be."""
    run = composable.fit(csv, "price", time_limit=0.5, out=tmp_path / "run")
    assert sum(row["deployed"] for row in run.candidates()) == 1
    assert np.isfinite(run.predict(csv)["prediction"]).all()
