"""Which backend Keras runs on: decided once, before Keras is imported."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from composable.core.errors import SetupError
from composable.core.machine import compile_cache, cores, writable
from composable.core.packages import install_command

MOST_DEVICES = 16  # each holds a copy of the data
BACKENDS = ("jax", "tensorflow", "torch")  # in the order of preference

# Whoever sets one of these keeps their value. All but the first keep libraries from printing on a terminal.
QUIET = {
    "OMP_WAIT_POLICY": "PASSIVE",  # scikit-learn's waiting threads spin otherwise: minutes lost
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GRPC_VERBOSITY": "ERROR",
    "GLOG_minloglevel": "3",
}


@dataclass(frozen=True)
class BackendChoice:
    """A backend and why it is this one.

    Attributes:
        name: One of `BACKENDS`.
        reason: Who or what decided.
    """

    name: str
    reason: str


def decide_backend(requested: str | None = None) -> BackendChoice:
    """The backend that a fit would use; changes nothing.

    Keras's own `keras.json` doesn't count: Keras writes it by itself with its default in it, so it isn't the
    user's choice.

    Raises:
        SetupError: If the requested one is unknown or not installed, if Keras already runs on another
            one, or if there is none at all.
    """
    name, reason = requested, "asked for with --backend"
    if not name and (running := _running_backend()):
        return BackendChoice(running, "Keras was imported with it")
    if not name:
        name, reason = os.environ.get("KERAS_BACKEND"), "set by the environment variable KERAS_BACKEND"
    if name:
        return BackendChoice(_checked(name), reason)
    for name in BACKENDS:
        if _installed(name):
            return BackendChoice(name, f"the first one installed of {', '.join(BACKENDS)}")
    raise SetupError(
        "Keras needs a backend.",
        received="none of " + ", ".join(BACKENDS),
        remedy="pip install jax",
    )


def choose_backend(requested: str | None = None) -> str:
    """Choose the backend for this process and return its name; call it before Keras is imported.

    Also keeps the libraries quiet, and gives Keras and matplotlib a folder of their own where the home
    folder can't be written.

    Raises:
        SetupError: As `decide_backend`.
    """
    choice = decide_backend(requested)
    os.environ["KERAS_BACKEND"] = choice.name
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
    _give_libraries_a_home()
    if choice.name == "jax":
        for variable, value in _for_jax().items():
            os.environ.setdefault(variable, value)
    return choice.name


def _for_jax() -> dict[str, str]:
    """One device per core, over which a cohort is spread; what was compiled once is kept on disk."""
    found = {
        "JAX_NUM_CPU_DEVICES": str(min(cores(), MOST_DEVICES)),
        # LLVM unrolls loops over few channels, and then gathers along another axis: three times as slow.
        "XLA_FLAGS": "--xla_backend_extra_options=xla_cpu_disable_loop_unrolling=true",
    }
    if (folder := compile_cache()) is not None:
        found |= {
            "JAX_COMPILATION_CACHE_DIR": str(folder),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.01",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
        }
    return found


def _checked(name: str) -> str:
    """The name, if it can be used in this process."""
    if name not in BACKENDS:
        raise SetupError("The backend must be one of " + ", ".join(BACKENDS) + ".", received=repr(name))
    running = _running_backend()
    if running and running != name:
        raise SetupError(
            "The backend can't change once Keras is imported.",
            received=f"Keras runs on {running!r}, {name!r} was requested",
            remedy=f"set KERAS_BACKEND={name} before Python starts",
        )
    if not _installed(name):
        remedy = "pip install jax" if name == "jax" else install_command(name)
        raise SetupError(f"The backend {name!r} isn't installed.", remedy=remedy)
    return name


def _running_backend() -> str | None:
    keras = sys.modules.get("keras")
    return keras.config.backend() if keras is not None and hasattr(keras, "config") else None


def _installed(name: str) -> bool:
    return name in sys.modules or find_spec(name) is not None


def _give_libraries_a_home() -> None:
    home = Path.home() if "HOME" in os.environ or sys.platform == "win32" else None
    if home is not None and writable(home):
        return
    wanted = [name for name in ("KERAS_HOME", "MPLCONFIGDIR") if name not in os.environ]
    if wanted:
        folder = tempfile.mkdtemp(prefix="composable-home-")  # readable by this user alone
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ.update(dict.fromkeys(wanted, folder))
