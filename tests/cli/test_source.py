"""`composable source RUN`: where the program goes."""

import json
from types import SimpleNamespace

import pytest

PROGRAM = '"""tiny as plain Keras."""\n'


@pytest.fixture(autouse=True)
def bundle(monkeypatch):
    opened = SimpleNamespace(card=SimpleNamespace(name="tiny"))
    monkeypatch.setattr("composable.deploy.bundle.load_bundle", lambda folder: opened)
    monkeypatch.setattr("composable.deploy.source.bundle_source", lambda bundle: PROGRAM)


def test_the_program_is_printed_as_it_is(command):
    assert command("source", "runs/cars").out == PROGRAM


def test_the_program_goes_into_a_file(command, tmp_path):
    done = command("source", "runs/cars", "--out", tmp_path / "winner.py")
    assert (done.code, done.out) == (0, f"Source: {tmp_path / 'winner.py'}\n")
    assert (tmp_path / "winner.py").read_text() == PROGRAM


def test_json_says_the_name_and_the_program_or_where_it_is(command, tmp_path):
    assert json.loads(command("source", "runs/cars", "--json").out) == {"name": "tiny", "source": PROGRAM}
    done = command("source", "runs/cars", "--json", "--out", tmp_path / "winner.py")
    assert json.loads(done.out) == {"name": "tiny", "path": str(tmp_path / "winner.py")}
