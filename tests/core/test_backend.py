"""The backend is decided before Keras is imported, and the decision is explained."""

import os
import sys
from types import SimpleNamespace

import pytest

from composable.core import backend
from composable.core.backend import choose_backend, decide_backend
from composable.core.errors import SetupError


@pytest.fixture
def fresh(monkeypatch):
    """A process without Keras in which jax and torch are installed."""
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(backend, "_installed", lambda name: name in ("jax", "torch"))
    for variable in ("KERAS_BACKEND", "KERAS_HOME", "MPLCONFIGDIR"):
        monkeypatch.setenv(variable, "")  # so that monkeypatch restores what the code under test sets
        monkeypatch.delenv(variable)


def test_the_flag_wins_then_the_environment_then_jax(fresh, monkeypatch):
    assert choose_backend() == os.environ["KERAS_BACKEND"] == "jax"
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert decide_backend().name == "torch"
    assert "KERAS_BACKEND" in decide_backend().reason
    assert choose_backend("jax") == os.environ["KERAS_BACKEND"] == "jax"


def test_without_jax_the_next_one_is_taken(fresh, monkeypatch):
    monkeypatch.setattr(backend, "_installed", lambda name: name == "torch")
    assert decide_backend().name == "torch"


def test_none_at_all_names_the_command(fresh, monkeypatch):
    monkeypatch.setattr(backend, "_installed", lambda name: False)
    with pytest.raises(SetupError, match="pip install jax"):
        decide_backend()


@pytest.mark.parametrize(
    ("asked", "message"), [("tensorflow", r"composable-automl\[tensorflow\]"), ("numpy", "'numpy'")]
)
def test_what_can_not_be_had_is_refused(fresh, asked, message):
    with pytest.raises(SetupError, match=message):
        choose_backend(asked)
    assert "KERAS_BACKEND" not in os.environ


def test_after_keras_is_imported_only_its_backend_remains(fresh, monkeypatch):
    keras = SimpleNamespace(config=SimpleNamespace(backend=lambda: "torch"))
    monkeypatch.setitem(sys.modules, "keras", keras)
    assert choose_backend() == choose_backend("torch") == "torch"
    with pytest.raises(SetupError, match="KERAS_BACKEND=jax before Python starts"):
        choose_backend("jax")


def test_without_a_home_the_libraries_get_a_folder(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    choose_backend()
    assert os.environ["KERAS_HOME"] == os.environ["MPLCONFIGDIR"]
    assert os.access(os.environ["KERAS_HOME"], os.W_OK)


def test_a_home_that_can_be_written_is_used(fresh, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    choose_backend()
    assert "KERAS_HOME" not in os.environ
