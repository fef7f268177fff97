"""The end of a stage: its result becomes visible once (C11)."""

from __future__ import annotations

import json
import math

import pytest

from composable.core.errors import ArtifactError
from composable.training.generation import StageResult, commit, committed
from tests.training.checkpointed import IDENTITY, OTHERS, epoch, flip, names, state


def test_a_stage_is_promoted_once(tmp_path):
    folder = tmp_path / "warmup"
    assert committed(folder, IDENTITY, notify=pytest.fail) is None
    assert commit(folder, StageResult(state(1), {"gain": 0.5, "rate": math.nan}), IDENTITY)
    assert not commit(folder, StageResult(state(2), {"gain": 0.7}), IDENTITY)
    found = committed(folder, IDENTITY, notify=pytest.fail)
    assert (epoch(found.state), found.outcome) == (1, {"gain": 0.5, "rate": None})
    assert json.loads((folder / "outcome.json").read_text()) == found.outcome


def test_a_damaged_result_is_promoted_again(tmp_path):
    folder = tmp_path / "warmup"
    commit(folder, StageResult(state(1), {"gain": 0.5}), IDENTITY)
    flip(folder / "outcome.json")
    notices = []
    assert committed(folder, IDENTITY, notify=notices.append) is None
    assert str(folder / "outcome.json") in notices[0]
    assert commit(folder, StageResult(state(2), {}), IDENTITY)
    assert epoch(committed(folder, IDENTITY, notify=pytest.fail).state) == 2
    assert names(tmp_path) == ["warmup"]


@pytest.mark.parametrize(("name", "full"), [("warmup", True), ("warmup", False), ("warmup.tmp", True)])
def test_promotion_never_replaces_what_is_foreign(tmp_path, name, full):
    (tmp_path / name).mkdir()
    if full:
        (tmp_path / name / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtifactError, match=name):
        commit(tmp_path / "warmup", StageResult(state(1), {}), IDENTITY)
    assert names(tmp_path) == [name]
    assert names(tmp_path / name) == ["thesis.txt"] * full


def test_the_result_of_another_training_is_refused(tmp_path):
    commit(tmp_path / "warmup", StageResult(state(1), {}), IDENTITY)
    other, difference = OTHERS["keras"]
    with pytest.raises(ArtifactError, match=difference):
        committed(tmp_path / "warmup", other, notify=pytest.fail)
    with pytest.raises(ArtifactError, match=difference):
        commit(tmp_path / "warmup", StageResult(state(2), {}), other)
