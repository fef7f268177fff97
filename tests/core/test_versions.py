"""The versions of packages and backends."""

from __future__ import annotations

import importlib.metadata
import types

import keras
import numpy as np

from composable.core import versions
from composable.core.versions import version


def test_a_package_is_asked_by_its_name():
    assert version("numpy") == np.__version__
    assert version(keras.backend.backend()).partition(".")[0].isdigit()


def test_a_backend_may_be_installed_under_another_name(monkeypatch):
    def unknown(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", unknown)
    installed = types.SimpleNamespace(__version__="2.20.0")
    monkeypatch.setattr(versions.importlib, "import_module", {"tensorflow": installed}.__getitem__)
    assert version("tensorflow") == "2.20.0"
