"""Optional extras: imported late, with an error that says how to install the one that is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from composable.core.errors import SetupError

DISTRIBUTION = "composable-automl"  # on the package index, where `composable` is another project


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
