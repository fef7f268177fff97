"""The versions of the packages that take part."""

from __future__ import annotations

import importlib
import importlib.metadata

from composable.core.backend import BACKENDS


def version(package: str) -> str:
    """Of an installed package.

    Of a backend it is what the module tells: its distribution may be called otherwise (`tensorflow-cpu`).
    """
    if package in BACKENDS:
        return str(importlib.import_module(package).__version__)
    return importlib.metadata.version(package)
