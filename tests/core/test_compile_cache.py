"""Compiled programs are kept in the user's cache, of bounded size."""

import os

from composable.core.machine import compile_cache, prune


def test_it_lies_in_the_persons_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compile_cache().is_relative_to(tmp_path / "composable")
    assert compile_cache().is_dir()


def test_where_nothing_can_be_written_there_is_none(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compile_cache() is None


def test_the_oldest_are_deleted_until_the_rest_fits(tmp_path):
    for age, name in enumerate(["new", "middle", "old"]):
        (tmp_path / name).write_bytes(bytes(100))
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    prune(tmp_path, 250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["middle", "new"]
    prune(tmp_path, 250)
    assert len(list(tmp_path.iterdir())) == 2
