"""What a user meant who typed a command that isn't there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click


class SuggestingGroup(click.Group):
    """A group of commands that names the nearest."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of that name.

        Raises:
            click.UsageError: If there is none.
        """
        command = super().get_command(ctx, cmd_name)
        if command is None:
            raise no_such_command(cmd_name, self.list_commands(ctx), ctx)
        return command


def no_such_command(name: str, known: Iterable[str], ctx: click.Context) -> click.UsageError:
    """The error that names the nearest one, or all there are."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
    return click.UsageError(f"No such command {name!r}. {hint}", ctx)
