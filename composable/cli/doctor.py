"""`composable doctor`: versions, the backend and why, the machine, and what is missing.

Nothing here stops at the first fault: a fault is what the user asked about.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import platform
import sqlite3
from dataclasses import dataclass

import click

from composable.cli.flags import backend_option, debug_switch, json_switch
from composable.cli.output import ENVIRONMENT, print_json
from composable.core.backend import choose_backend, decide_backend
from composable.core.errors import SetupError
from composable.core.machine import cores, memory_gb
from composable.core.packages import install_command
from composable.core.workspace import journal_mode

# Distribution -> module. Keras comes last, since importing it fails where its backend is broken.
CORE = {
    "numpy": "numpy",
    "optuna": "optuna",
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
    "postgresql": ("psycopg",),
    "tensorflow": ("tensorflow",),
    "torch": ("torch",),
}
FOR = {
    "onnx": "export to ONNX",
    "postgresql": "studies in a PostgreSQL database",
    "tensorflow": "Keras on TensorFlow",
    "torch": "Keras on PyTorch",
}


@click.command()
@backend_option
@json_switch
@debug_switch
def command(backend: str | None, *, as_json: bool) -> int:
    """Show versions, the backend, and what is missing. Ends with 3 if something needed is."""
    from dataclasses import asdict

    from composable import __version__

    found = _examine(backend)
    if as_json:
        print_json(asdict(found) | {"composable": __version__, "healthy": found.healthy})
    else:
        _print(found)
    return 0 if found.healthy else ENVIRONMENT


def _print(found: Environment) -> None:
    from composable import __version__
    from composable.cli.output import print_pairs
    from composable.core.terminal import number

    print_pairs(
        "Machine",
        {
            "composable": __version__,
            "python": found.python,
            "system": found.system,
            "cores": str(found.cores),
            "memory": number(found.memory_gb, "GB"),
            "backend": f"{found.backend or 'none'} ({found.backend_reason})",
            "SQLite": f"{found.sqlite}: a study has a {found.journal}",
        },
    )
    print_pairs(
        "Needed",
        {p.name: f"broken: {p.fault}; {p.remedy}" if p.fault else p.version for p in found.packages},
    )
    print_pairs(
        "Optional",
        {e.name: f"{'there' if e.present else f'not there: {e.remedy}'} ({e.purpose})" for e in found.extras},
    )
    click.echo("All that is needed is there." if found.healthy else "Something needed is missing, see above.")


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
        sqlite: Its version.
        journal: How it keeps a study whole.
    """

    python: str
    system: str
    cores: int
    memory_gb: float | None
    backend: str
    backend_reason: str
    sqlite: str
    journal: str
    packages: tuple[Package, ...]
    extras: tuple[Extra, ...]

    @property
    def healthy(self) -> bool:
        """Whether everything that is needed is there."""
        return bool(self.backend) and not any(package.fault for package in self.packages)


def _examine(backend: str | None = None) -> Environment:
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
        sqlite=sqlite3.sqlite_version,
        journal="write-ahead log" if journal_mode() == "WAL" else "rollback journal",
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
