"""What a number was measured on; printed by every benchmark."""

from __future__ import annotations

import importlib.metadata
import platform

from composable.core.machine import machine

PACKAGES = ("composable-automl", "keras", "jax", "numpy", "pandas", "scikit-learn", "catboost")


def conditions() -> str:
    """Processor, cores, memory and versions on one line."""
    facts = machine()
    versions = [f"{name} {version}" for name in PACKAGES if (version := _version(name))]
    where = f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB"
    return f"{where}; Python {platform.python_version()}, {', '.join(versions)}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
