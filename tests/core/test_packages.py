"""An extra that isn't there names the command that installs it (A13); versions of packages and backends."""

from __future__ import annotations

import importlib.metadata
import json
import types

import keras
import numpy as np
import pytest

from composable.core.errors import SetupError
from composable.core.packages import optional, version


def test_a_module_that_is_there_is_returned():
    assert optional("json", extra="onnx") is json


def test_a_missing_extra_names_its_command():
    with pytest.raises(SetupError, match=r'pip install "composable-automl\[onnx\]"') as missing:
        optional("no_such_package.part", extra="onnx")
    assert "'no_such_package'" in missing.value.rule


def test_a_package_is_asked_by_its_name():
    assert version("numpy") == np.__version__
    assert version(keras.backend.backend()).partition(".")[0].isdigit()


def test_a_backend_may_be_installed_under_another_name(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", unknown)
    installed = types.SimpleNamespace(__version__="2.20.0")
    monkeypatch.setattr(importlib, "import_module", {"tensorflow": installed}.__getitem__)
    assert version("tensorflow") == "2.20.0"
