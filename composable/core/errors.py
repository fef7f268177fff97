"""Every error a user can meet: the rule, what was received, and what to do about it.

Exit codes: 2 data, configuration or artifact; 3 environment; 4 nothing succeeded; 130 interrupted.
"""

from __future__ import annotations


class ComposableError(Exception):
    """The root of all errors that Composable raises on purpose.

    Args:
        rule: What has to hold, in one sentence.
        received: What was found instead: file, column, row and value.
        remedy: What to do now, with the flag or command that does it.
    """

    exit_code = 1

    def __init__(self, rule: str, *, received: str = "", remedy: str = "") -> None:
        self.rule, self.received, self.remedy = rule, received, remedy
        super().__init__(rule, received, remedy)

    def __str__(self) -> str:
        lines = [self.rule]
        if self.received:
            lines.append(f"Received: {self.received}")
        if self.remedy:
            lines.append(f"Remedy: {self.remedy}")
        return "\n".join(lines)


class ComposableWarning(UserWarning):
    """What a user should know about their data or a fit, although it goes on."""


class DataError(ComposableError, ValueError):
    """The data can't be used as it is."""

    exit_code = 2


class ConfigError(ComposableError, ValueError):
    """An option, a schema or a configuration file is wrong."""

    exit_code = 2


class ArtifactError(ComposableError, ValueError):
    """A model file, bundle or run folder is refused: altered, foreign or unsafe."""

    exit_code = 2


class SetupError(ComposableError, ImportError):
    """Something is missing from the environment, for example an optional extra."""

    exit_code = 3


class NothingSucceeded(ComposableError, RuntimeError):  # noqa: N818 (reads as a sentence)
    """Every trial failed, so there is no model."""

    exit_code = 4
