"""A fit writes why its winner won, and `composable explain` says it, also of older runs and of one trial."""

from __future__ import annotations

import json

import pytest

import composable
from composable.cli.main import run as command


@pytest.fixture(scope="module")
def run(tmp_path_factory, make_table):
    folder = tmp_path_factory.mktemp("why")
    make_table(rows=120)[["size", "make", "sold on", "price"]].to_csv(folder / "cars.csv", index=False)
    return composable.fit(
        folder / "cars.csv", "price", max_trials=7, max_epochs=2, time_limit=300, out=folder / "run"
    )


def test_a_fit_compares_its_winner_with_the_others_on_the_same_rows(run):
    facts = json.loads((run.path / "explanation.json").read_text())
    scores = {row["trial"]: row["validation"] for row in run.candidates()}
    deployed = run.facts["deployed"]
    assert facts["trial"] == deployed
    assert {one["role"] for one in facts["against"]} >= {"network", "baseline", "reference"}
    for one in facts["against"]:
        assert one["difference"] == pytest.approx(scores[one["trial"]] - scores[deployed])
        assert one["low"] <= one["high"]
    members = json.loads((run.path / "trials" / str(deployed) / "trial.json").read_text()).get("members", [])
    assert {one["trial"] for one in facts["members"]} == {one["trial"] for one in members}
    for one in facts["members"]:
        assert one["brings"] == pytest.approx(one["without"] - scores[deployed])
    assert isinstance(facts["choices"], list)  # there was time for them


def test_the_verb_says_why_and_what_to_type_next(run, capsys):
    assert command(["explain", str(run.path)]) == 0
    shown = capsys.readouterr().out
    assert all(words in shown for words in (" won: RMSE", "90 % interval of the difference", "By family: "))
    assert f"--max-trials 14 --out {run.path}" in shown
    assert "composable fit " in shown
    assert command(["explain", str(run.path), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == {"winner", "members", "choices", "tried", "ended", "advice"}
    typed = [one["command"] for one in answer["advice"]]
    assert not any("--time-limit 600" in one for one in typed)  # more time alone would try nothing more
    assert all("--time-limit 300 " in one for one in typed if "--max-trials" in one)


def test_without_what_the_fit_wrote_the_trials_say_which_choices_mattered(run, tmp_path):
    import shutil

    shutil.copytree(run.path, tmp_path / "old")
    (tmp_path / "old" / "explanation.json").unlink()
    old = composable.Run(tmp_path / "old").why()
    assert [one.choice for one in old.choices] == [one.choice for one in run.why().choices]
    assert "interval" not in " ".join(old.winner[:-1])


def test_a_run_of_one_trial_is_explained(tmp_path, cars):
    run = composable.fit(cars[["size", "price"]], "price", max_trials=1, max_epochs=1, out=tmp_path / "run")
    found = run.why()
    assert found.winner[0].startswith("linear (trial 1) won")
    assert (found.members, found.choices) == ((), ())
    assert any(one.flags == "--max-trials 2" for one in found.advice)
