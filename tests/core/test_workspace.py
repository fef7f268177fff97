"""The run folder: each file whole or not at all."""

import json
import os

import pytest

from composable.core.workspace import append_event, write_atomically, write_json


def test_a_file_is_written_with_its_folders(tmp_path):
    write_atomically(tmp_path / "a" / "b.txt", "Größe")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "Größe"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.txt"]


def test_a_file_name_that_is_not_utf_8_survives_json(tmp_path):
    name = os.fsdecode(b"gr\xf6\xdfe.csv")
    write_json(tmp_path / "run.json", {"origin": name})
    append_event(tmp_path, "start", {"origin": name})
    assert json.loads((tmp_path / "run.json").read_text())["origin"] == name
    assert json.loads((tmp_path / "events.jsonl").read_text())["origin"] == name


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_kill_while_writing_leaves_the_old_content(tmp_path, monkeypatch, moment):
    path = tmp_path / "run.json"
    write_atomically(path, "old")

    def kill(*_):
        raise KeyboardInterrupt

    if moment == "fsync":
        monkeypatch.setattr(os, "fsync", kill)
    else:
        monkeypatch.setattr(type(path), "replace", kill)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new content")
    assert path.read_text() == "old"


def test_the_content_is_durable_before_the_name(tmp_path, monkeypatch):
    calls = []
    path = tmp_path / "run.json"
    fsync, replace = os.fsync, type(path).replace
    monkeypatch.setattr(os, "fsync", lambda handle: (calls.append("fsync"), fsync(handle)))
    monkeypatch.setattr(type(path), "replace", lambda *names: (calls.append("rename"), replace(*names)))
    write_atomically(path, "content")
    assert calls == ["fsync", "rename", "fsync"]


def test_numbers_that_json_lacks_become_null(tmp_path):
    write_json(tmp_path / "x.json", {"a": float("nan"), "b": (float("inf"), 1.5), 3: {"c": -float("inf")}})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": None, "b": [None, 1.5], "3": {"c": None}}


def test_events_are_lines_in_order(tmp_path):
    append_event(tmp_path, "start", {"origin": "a\nb.csv"})
    append_event(tmp_path, "epoch", {"score": float("nan")})
    lines = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [line["event"] for line in lines] == ["start", "epoch"]
    assert (lines[0]["origin"], lines[1]["score"]) == ("a\nb.csv", None)
    assert lines[0]["time"] > 1e9
