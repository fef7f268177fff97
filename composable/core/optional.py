"""Import an extra late, or say which one to install."""

from __future__ import annotations

import importlib
from types import ModuleType

from composable.core.errors import SetupError


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
            remedy=f'pip install "composable[{extra}]"',
        ) from missing
