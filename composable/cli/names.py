"""Column names typed on the command line."""

from __future__ import annotations

import os

import click


class ColumnName(click.ParamType):
    """A text of a user's own data, in UTF-8 even where the locale knows only ASCII.

    There Python hands over what was typed as stand-ins for bytes (PEP 383), which equal no name in a file.
    Paths stay as they are, since the system takes the stand-ins back.
    """

    name = "column"

    def convert(
        self,
        value: str,
        param: click.Parameter | None,  # noqa: ARG002
        ctx: click.Context | None,  # noqa: ARG002
    ) -> str:
        """The name as it was typed."""
        try:
            return os.fsencode(value).decode("utf-8")
        except UnicodeError:  # neither; whatever it is, the error about the missing column shows it
            return value


COLUMN = ColumnName()
