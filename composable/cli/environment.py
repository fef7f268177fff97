"""What `composable doctor` finds out about the environment; nothing here stops at the first fault."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
from dataclasses import dataclass

from composable.core.backend import choose_backend, decide_backend
from composable.core.errors import SetupError
from composable.core.machine import cores, memory_gb
from composable.core.optional import install_command

# Distribution -> module. Keras comes last, since importing it fails where its backend is broken.
CORE = {
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "scikit-learn": "sklearn",
    "h5py": "h5py",
    "pydantic": "pydantic",
    "PyYAML": "yaml",
    "click": "click",
    "rich": "rich",
    "jinja2": "jinja2",
    "matplotlib": "matplotlib",
    "keras": "keras",
}
EXTRAS = {  # extra -> its modules, looked for without importing them, since some take seconds
    "onnx": ("onnx", "onnxruntime", "jax2onnx"),
    "tensorflow": ("tensorflow",),
    "torch": ("torch",),
}
FOR = {
    "onnx": "export to ONNX",
    "tensorflow": "Keras on TensorFlow",
    "torch": "Keras on PyTorch",
}


@dataclass(frozen=True)
class Package:
    """One package that Composable needs.

    Attributes:
        version: Its version, "" where it isn't installed.
        fault: Why it can't be imported, "" where it can.
        remedy: The command that repairs it.
    """

    name: str
    version: str
    fault: str
    remedy: str


@dataclass(frozen=True)
class Extra:
    """An optional part: what it is for, whether it is there, and the command that installs it."""

    name: str
    purpose: str
    present: bool
    remedy: str


@dataclass(frozen=True)
class Environment:
    """Everything that `doctor` finds out.

    Attributes:
        backend: What Keras runs on, "" where there is nothing.
        backend_reason: Why it is this one, or what is missing.
        memory_gb: The machine's memory in units of 10^9 bytes, None where it isn't known.
    """

    python: str
    system: str
    cores: int
    memory_gb: float | None
    backend: str
    backend_reason: str
    packages: tuple[Package, ...]
    extras: tuple[Extra, ...]

    @property
    def healthy(self) -> bool:
        """Whether everything that is needed is there."""
        return bool(self.backend) and not any(package.fault for package in self.packages)


def examine(backend: str | None = None) -> Environment:
    """Look at everything; a fault is a finding, never an exception.

    Args:
        backend: The one asked for, if any.
    """
    try:
        choice = decide_backend(backend)
        name, reason = choose_backend(backend), choice.reason
    except SetupError as fault:
        name, reason = "", " ".join(str(fault).split())
    needed = {**CORE, name: name} if name else CORE
    return Environment(
        python=platform.python_version(),
        system=platform.platform(terse=True),
        cores=cores(),
        memory_gb=memory_gb(),
        backend=name,
        backend_reason=reason,
        packages=tuple(_package(distribution, module) for distribution, module in needed.items()),
        extras=tuple(_extra(name, modules) for name, modules in EXTRAS.items()),
    )


def _package(distribution: str, module: str) -> Package:
    fault = ""
    try:
        importlib.import_module(module)
    except Exception as broken:  # noqa: BLE001 (a broken package may raise anything, and that is the finding)
        fault = " ".join(f"{type(broken).__name__}: {broken}".split())[:300]
    remedy = f'pip install --force-reinstall "{distribution}"' if fault else ""
    return Package(distribution, _version(distribution), fault, remedy)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _extra(name: str, modules: tuple[str, ...]) -> Extra:
    present = all(importlib.util.find_spec(module) is not None for module in modules)
    return Extra(name, FOR[name], present, "" if present else install_command(name))
