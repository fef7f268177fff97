"""Notices on standard error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from composable.cli.moment import notice_line
from composable.cli.streams import say
from composable.data.schema import Notice


def say_notices(notices: Iterable[Notice]) -> None:
    """Tell the user each notice on a line of its own."""
    for notice in notices:
        say(notice_line(asdict(notice)))
