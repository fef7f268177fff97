"""The versions of the packages that take part."""

from __future__ import annotations

import importlib
import importlib.metadata

from composable.core.backend import BACKENDS


def version(package: str) -> str:
    """The version of an installed package.

    Of a backend and of this package it is the module's own, since the distribution may be called
    otherwise (`tensorflow-cpu`, `composable-automl`).
    """
    if package in (*BACKENDS, "composable"):
        return str(importlib.import_module(package).__version__)
    return importlib.metadata.version(package)
