"""`doctor` finds faults and never stops at one."""

import json

import pytest

from composable.cli import doctor


@pytest.fixture
def few_packages(monkeypatch):
    """Look at two packages, so that the test needs no Keras."""
    monkeypatch.setattr(doctor, "CORE", {"click": "click", "PyYAML": "yaml"})


def test_a_healthy_environment(command, few_packages):
    done = command("doctor", "--json")
    found = json.loads(done.out)
    assert (done.code, found["healthy"], found["composable"]) == (0, True, "0.1.0")
    assert {package["name"] for package in found["packages"]} == {"click", "PyYAML", found["backend"]}
    assert found["cores"] >= 1
    assert found["backend_reason"]
    assert found["journal"] in ("write-ahead log", "rollback journal")


def test_a_broken_package_is_a_finding_with_its_command(command, monkeypatch, tmp_path):
    (tmp_path / "broken_package.py").write_text("raise RuntimeError('two lines\\nof trouble')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(doctor, "CORE", {"broken-package": "broken_package", "no-package": "no_such_package"})
    done = command("doctor")
    assert done.code == 3
    assert "RuntimeError: two lines of trouble" in done.out
    assert 'pip install --force-reinstall "no-package"' in done.out


def test_an_extra_that_is_not_there_names_its_command(command, few_packages, monkeypatch):
    monkeypatch.setattr(doctor, "EXTRAS", {"onnx": ("no_such_package",)})
    done = command("doctor")
    assert done.code == 0
    assert 'pip install "composable-automl[onnx]"' in done.out


def test_no_backend_is_a_finding_too(command, few_packages, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "abacus")
    monkeypatch.setattr("composable.core.backend._running_backend", lambda: None)
    done = command("doctor", "--json")
    found = json.loads(done.out)
    assert (done.code, found["backend"], found["healthy"]) == (3, "", False)
    assert "abacus" in found["backend_reason"]
