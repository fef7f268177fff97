"""Composable: from a user's own data to a deployed deep model, automatically, on Keras 3.

The names below are the whole public interface. Each is imported when it is first used, so that
`import composable` takes no time and the backend can be chosen before Keras is there.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from composable.auto.api import fit as fit
    from composable.auto.estimators import Classifier as Classifier
    from composable.auto.estimators import Regressor as Regressor
    from composable.auto.inspect import inspect as inspect
    from composable.auto.run import Run as Run
    from composable.core.errors import ArtifactError as ArtifactError
    from composable.core.errors import ComposableError as ComposableError
    from composable.core.errors import ComposableWarning as ComposableWarning
    from composable.core.errors import ConfigError as ConfigError
    from composable.core.errors import DataError as DataError
    from composable.core.errors import NothingSucceeded as NothingSucceeded
    from composable.core.errors import SetupError as SetupError
    from composable.deploy.bundle import load_bundle as load
    from composable.design import Architecture as Architecture
    from composable.design import Between as Between
    from composable.design import Choice as Choice
    from composable.design import Input as Input
    from composable.design import Part as Part
    from composable.design import Task as Task
    from composable.design import component as component
    from composable.design.cost import cost as cost
    from composable.design.evolve import cross as cross
    from composable.design.evolve import draw as draw
    from composable.design.evolve import graft as graft
    from composable.design.evolve import mutate as mutate
    from composable.design.growth import grown as grown
    from composable.design.taps import tap as tap
    from composable.zoo.catalog import architecture as architecture

__version__ = "0.1.0"

_ORIGINS = {  # public name -> module, name there
    "fit": ("composable.auto.api", "fit"),
    "Run": ("composable.auto.run", "Run"),
    "load": ("composable.deploy.bundle", "load_bundle"),
    "inspect": ("composable.auto.inspect", "inspect"),
    "Classifier": ("composable.auto.estimators", "Classifier"),
    "Regressor": ("composable.auto.estimators", "Regressor"),
    "architecture": ("composable.zoo.catalog", "architecture"),
    "Architecture": ("composable.design", "Architecture"),
    "Task": ("composable.design", "Task"),
    "Part": ("composable.design", "Part"),
    "Choice": ("composable.design", "Choice"),
    "Between": ("composable.design", "Between"),
    "Input": ("composable.design", "Input"),
    "component": ("composable.design", "component"),
    "tap": ("composable.design.taps", "tap"),
    "cost": ("composable.design.cost", "cost"),
    "draw": ("composable.design.evolve", "draw"),
    "mutate": ("composable.design.evolve", "mutate"),
    "cross": ("composable.design.evolve", "cross"),
    "graft": ("composable.design.evolve", "graft"),
    "grown": ("composable.design.growth", "grown"),
    "ComposableError": ("composable.core.errors", "ComposableError"),
    "ComposableWarning": ("composable.core.errors", "ComposableWarning"),
    "DataError": ("composable.core.errors", "DataError"),
    "ConfigError": ("composable.core.errors", "ConfigError"),
    "ArtifactError": ("composable.core.errors", "ArtifactError"),
    "SetupError": ("composable.core.errors", "SetupError"),
    "NothingSucceeded": ("composable.core.errors", "NothingSucceeded"),
}

__all__ = [  # noqa: RUF022 (in the order of use)
    "fit", "Run", "load", "inspect", "Classifier", "Regressor",
    "architecture", "Architecture", "Task", "Part", "Choice", "Between", "Input", "component", "tap", "cost",
    "draw", "mutate", "cross", "graft", "grown",
    "ComposableError", "DataError", "ConfigError", "ArtifactError", "SetupError",
    "NothingSucceeded", "ComposableWarning",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _ORIGINS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _ORIGINS[name]
    if not module.startswith("composable.core."):
        from composable.core.backend import choose_backend

        choose_backend()  # before anything below imports Keras
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
