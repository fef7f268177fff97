"""Folders appear whole or not at all, and tell when they were altered (rows A9, A12)."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from composable.core.errors import ArtifactError
from composable.deploy.publish import MANIFEST, read_verified, whole_folder


def _write(folder: Path, text: str) -> None:
    with whole_folder(folder) as partial:
        (partial / "a.txt").write_text(text)
        (partial / "b.txt").write_text(text * 2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    _write(tmp_path / "made", "old")
    return tmp_path / "made"


def test_the_manifest_states_size_and_sha256(folder: Path) -> None:
    files = json.loads((folder / MANIFEST).read_text())["files"]
    assert files["b.txt"] == {"bytes": 6, "sha256": hashlib.sha256(b"oldold").hexdigest()}
    assert read_verified(folder) == {"a.txt": b"old", "b.txt": b"oldold"}


def _alter(folder: Path) -> None:
    (folder / "b.txt").write_text("OLDold")


def _link(folder: Path) -> None:
    (folder.parent / "elsewhere").write_text("oldold")
    (folder / "b.txt").unlink()
    (folder / "b.txt").symlink_to(folder.parent / "elsewhere")


def _manifest(text: str) -> Callable[[Path], None]:
    return lambda folder: (folder / MANIFEST).write_text(text) and None


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_alter, "b.txt was altered"),
        (_link, "b.txt was altered"),
        (lambda folder: (folder / "b.txt").unlink(), "b.txt is missing"),
        (lambda folder: (folder / "c.txt").touch(), "c.txt was added"),
        (lambda folder: (folder / MANIFEST).unlink(), "manifest.json is missing"),
        (_manifest("{}"), "manifest.json was altered"),
        (_manifest('{"format": "composable.manifest/1", "files": [1]}'), "manifest.json was altered"),
        (_manifest("[" * 100_000), "manifest.json was altered"),
    ],
)
def test_a_damaged_folder_is_refused(folder: Path, damage: Callable[[Path], Any], message: str) -> None:
    damage(folder)
    with pytest.raises(ArtifactError, match=message):
        read_verified(folder)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no such folder"):
        read_verified(tmp_path / "none")


def _steps(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], None]) -> list[int]:
    """Call `act(step)` before each operation on files that a new folder consists of."""
    count = [0]

    def before(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def step(*args: Any, **options: Any) -> Any:
            count[0] += 1
            act(count[0])
            return original(*args, **options)

        monkeypatch.setattr(owner, name, step)

    for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "mkdir"), (Path, "write_text")):
        before(owner, name)
    return count


_KILLED = """
import os, sys
from pathlib import Path
from composable.deploy.publish import whole_folder

folder, fatal = Path(sys.argv[1]), int(sys.argv[2])
count = 0

def counted(owner, name):
    original = getattr(owner, name)
    def step(*args, **options):
        global count
        count += 1
        if count == fatal:
            os._exit(9)
        return original(*args, **options)
    setattr(owner, name, step)

for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "mkdir"), (Path, "write_text")):
    counted(owner, name)
with whole_folder(folder) as partial:
    (partial / "a.txt").write_text("new")
    (partial / "b.txt").write_text("newnew")
"""


def test_a_kill_at_any_step_leaves_the_old_folder_or_the_new(tmp_path: Path) -> None:
    """The child dies without clean-up, as by SIGKILL; a reader and a next writer must both get on."""
    step, code, found = 0, 9, []
    while code == 9:
        step += 1
        folder = tmp_path / str(step) / "made"
        _write(folder, "old")
        code = subprocess.run([sys.executable, "-c", _KILLED, str(folder), str(step)], check=False).returncode
        found.append(read_verified(folder)["b.txt"])
        _write(folder, "next")
        assert read_verified(folder)["a.txt"] == b"next"
        assert [path.name for path in folder.parent.iterdir()] == ["made"]
    assert code == 0
    assert set(found) == {b"oldold", b"newnew"}
    assert step > 8


def test_a_full_disk_at_any_step_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    def full(at: int) -> None:
        if at == step:
            raise OSError(errno.ENOSPC, "No space left on device")

    finished = False
    for step in range(1, 50):
        folder = tmp_path / str(step) / "made"
        _write(folder, "old")
        try:
            with pytest.MonkeyPatch.context() as patch:
                _steps(patch, full)
                _write(folder, "new")
            finished = True
        except OSError:
            pass
        assert read_verified(folder)["b.txt"] in (b"oldold", b"newnew")
        assert not (folder.parent / "made.tmp").exists()
        if finished:
            break
    assert finished


def test_an_error_while_writing_leaves_no_folder(tmp_path: Path) -> None:
    def write_half() -> None:
        with whole_folder(tmp_path / "made") as partial:
            (partial / "a.txt").write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_what_the_person_keeps_in_a_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ArtifactError, match="nothing of yours"):
        _write(tmp_path, "new")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    _write(tmp_path / "made", "new")
    assert read_verified(tmp_path / "made")["a.txt"] == b"new"
