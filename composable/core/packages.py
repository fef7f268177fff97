"""The packages that take part: optional ones, whose absence is told with the extra to install; versions."""

from __future__ import annotations

import importlib
import importlib.metadata
from types import ModuleType

from composable.core.errors import SetupError

DISTRIBUTION = "composable-automl"  # on the package index, where `composable` is another project
_OTHERWISE_CALLED = ("jax", "tensorflow", "torch", "composable")  # or their distributions may be


def optional(module: str, *, extra: str) -> ModuleType:
    """Import `module`, which the extra `extra` of this package installs.

    Raises:
        SetupError: If the module isn't there; names the exact command to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as missing:
        raise SetupError(
            f"This needs the package {module.partition('.')[0]!r}.",
            received=str(missing),
            remedy=install_command(extra),
        ) from missing


def install_command(extra: str) -> str:
    """The shell command that installs this package with an extra."""
    return f'pip install "{DISTRIBUTION}[{extra}]"'


def version(package: str) -> str:
    """The version of an installed package.

    Of a backend and of this package it is the module's own, since the distribution may be called
    otherwise (`tensorflow-cpu`, `composable-automl`).
    """
    if package in _OTHERWISE_CALLED:
        return str(importlib.import_module(package).__version__)
    return importlib.metadata.version(package)
