"""The study: what Optuna is told, what happens to a file that is damaged, and where none is written."""

from __future__ import annotations

import sqlite3
import warnings
from dataclasses import replace
from functools import partial

import pytest

from composable.core.errors import ArtifactError, SetupError
from composable.core.workspace import journal_mode
from composable.modality import candidates, families
from composable.modality.facts import DataFacts
from composable.problem.problem import Head, Problem
from composable.search import study as studies
from composable.search import study_file
from composable.search.guidance import read_guidance
from composable.search.guided import guided
from composable.search.study import FILE, described, study_of
from composable.search.study_file import Entry, check_file, remote_file_system

FACTS = DataFacts(Problem((Head("y", "regression", ("y",)),), "rmse"), 500, {"numbers": 5}, ())
PORTFOLIO = tuple(candidates(FACTS, seed=0))
FAMILIES = families(FACTS, PORTFOLIO)
NAME = 'it\'s "a"; ../%s, 🚗 ' + "x" * 300


def entries(portfolio=PORTFOLIO, known=FAMILIES, first=0):
    found = []
    for number, one in enumerate(portfolio, first):
        family, values, openings = described(one, known)
        found.append(Entry(number, f"id{number}", one.name, family, values, openings, "done", float(number)))
    return found


def told(folder, *batches, higher_is_better=False):
    said = []
    study = study_of(folder, NAME, higher_is_better=higher_is_better, warn=said.append)
    for batch in batches:
        study.tell(batch)
    study.close()
    return said


def trials(folder):
    import optuna

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        storage = optuna.storages.RDBStorage(f"sqlite:///{folder / FILE}")
        study = optuna.load_study(study_name=None, storage=storage)
        found = study.study_name, study.direction.name, study.get_trials()
        storage.remove_session()
        storage.engine.dispose()
    return found


def test_optuna_reads_names_values_and_what_failed(tmp_path):
    done = entries()
    failed = replace(done[2], identity="f", status="failed", score=float("nan"), reason="diverged")
    skipped = replace(done[3], identity="s", status="skipped", score=float("nan"), reason="no time")
    assert told(tmp_path, done, [failed, skipped]) == []
    name, direction, found = trials(tmp_path)
    assert NAME.startswith(name)
    assert direction == "MINIMIZE"
    assert [trial.state.name for trial in found] == ["COMPLETE"] * 10 + ["FAIL", "PRUNED"]
    (mlp,) = (trial for trial in found if trial.user_attrs["name"] == "mlp")
    assert mlp.params["mlp.units"] == 256
    assert mlp.params["mlp.training.learning_rate"] == 0.001
    assert mlp.value == mlp.user_attrs["trial"] == 9
    assert found[-2].user_attrs["reason"] == "diverged"


def test_nothing_is_told_twice_and_what_is_missing_is_added(tmp_path):
    told(tmp_path, entries()[:3])
    told(tmp_path, entries())
    (tmp_path / FILE).unlink()
    told(tmp_path, entries())
    assert [trial.user_attrs["identity"] for trial in trials(tmp_path)[2]] == [f"id{n}" for n in range(10)]


def test_a_value_that_only_a_person_chose_joins_the_choices_of_all_trials(tmp_path):
    pins, ranges = ["units=100"], ["batch_size=8:64"]
    guidance = read_guidance(pins=pins, ranges=ranges, excluded=[], tries=[], space=None)
    found = guided(PORTFOLIO, FAMILIES, guidance)
    told(tmp_path, entries(), entries(found.portfolio, [*found.families, *FAMILIES], first=10))
    after = trials(tmp_path)[2]
    mlps = [trial for trial in after if trial.user_attrs["name"] == "mlp"]
    assert [trial.params["mlp.units"] for trial in mlps] == [256, 100]
    assert {trial.distributions["mlp.units"] for trial in mlps} == {mlps[0].distributions["mlp.units"]}
    assert mlps[1].params["mlp.training.batch_size"] in range(8, 65)
    assert [trial.number for trial in after] == list(range(len(after)))


@pytest.mark.slow
def test_cut_off_at_any_commit_nothing_is_lost_or_doubled(tmp_path, monkeypatch):
    """Also where a person's decision makes the trials be written anew with other choices."""
    found = guided(
        PORTFOLIO, FAMILIES, read_guidance(pins=["units=100"], ranges=[], excluded=[], tries=[], space=None)
    )
    batches = entries()[:4], entries(found.portfolio[-1:], [*found.families, *FAMILIES], first=10)
    left, open_now = [0], sqlite3.connect

    class Cut(sqlite3.Connection):
        def commit(self):
            left[0] -= 1
            if left[0] == 0:
                raise sqlite3.OperationalError("cut off")
            super().commit()

    monkeypatch.setattr(study_file.sqlite3, "connect", partial(open_now, factory=Cut))
    monkeypatch.setattr(studies.Study, "_end", studies.Study._release)  # without a last attempt
    fatal, was_cut = 1, True
    while was_cut:
        folder, left[0] = tmp_path / str(fatal), fatal
        folder.mkdir()
        told(folder, *batches)
        was_cut, left[0] = left[0] <= 0, 0
        told(folder, *batches)  # the next session, with all that trials/ holds
        identities = [trial.user_attrs["identity"] for trial in trials(folder)[2]]
        assert sorted(identities) == ["id0", "id1", "id10", "id2", "id3"], fatal
        fatal += 1
    assert fatal > 20


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"no database" * 99,
        lambda data: data[:5000],
        lambda data: data[:100] + bytes(9000) + data[9100:],
    ],
    ids=["empty", "foreign", "cut", "overwritten"],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, damage):
    told(tmp_path, entries())
    path = tmp_path / FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ArtifactError) as refused:
        study_of(tmp_path, NAME, higher_is_better=False, warn=print)
    assert str(path) in refused.value.received
    assert "writes it anew" in refused.value.remedy


def test_another_schema_is_not_written_into(tmp_path):
    told(tmp_path, entries()[:1])
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute("UPDATE alembic_version SET version_num = 'v99.0.0'")
    connection.commit()
    connection.close()
    (said,) = told(tmp_path, entries())
    assert "schema" in said
    check_file(tmp_path / FILE)


def test_a_full_disk_is_told_with_its_free_bytes_and_keeps_what_was_written(tmp_path, monkeypatch):
    told(tmp_path, entries()[:2])
    whole = sqlite3.connect

    def small(*arguments, **options):
        connection = whole(*arguments, **options)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")
        return connection

    monkeypatch.setattr(study_file.sqlite3, "connect", small)
    each = [(number, one) for number in range(2) for one in entries()]
    many = [replace(one, identity=f"{one.identity}-{number}", reason="x" * 1500) for number, one in each]
    (said,) = told(tmp_path, many)
    assert "bytes are free" in said
    assert str(tmp_path / FILE) in said
    assert "full" in said
    monkeypatch.undo()
    check_file(tmp_path / FILE)
    told(tmp_path, many)
    assert len(trials(tmp_path)[2]) == 2 + len(many)


def test_a_study_that_cannot_be_written_is_refused_before_any_training(tmp_path, monkeypatch):
    monkeypatch.setattr(studies.os, "access", lambda _path, _mode: False)
    with pytest.raises(SetupError) as refused:
        study_of(tmp_path, NAME, higher_is_better=False, warn=print)
    assert refused.value.exit_code == 3
    assert str(tmp_path / FILE) in refused.value.received


def test_no_study_lies_on_the_disk_of_another_machine(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/home {tmp_path} nfs4 rw 0 0\n")
    monkeypatch.setattr(study_file, "_MOUNTS", mounts)
    said = []
    assert study_of(tmp_path, NAME, higher_is_better=False, warn=said.append) is None
    assert "nfs4" in said[0]
    mounts.write_text("/dev/sda / ext4 rw 0 0\n")
    assert remote_file_system(tmp_path) is None


@pytest.mark.parametrize(
    ("version", "mode"), [((3, 40, 1), "DELETE"), ((3, 51, 2), "DELETE"), ((3, 51, 3), "WAL")]
)
def test_an_old_sqlite_keeps_a_rollback_journal(monkeypatch, version, mode):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert journal_mode() == mode
