"""Sizes and counts as a user types them."""

from __future__ import annotations

import re
from dataclasses import dataclass

import click

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_COUNT = re.compile(r"(\d+(?:\.\d+)?(?:e\d{1,2})?)([kmgb]?)", re.IGNORECASE)
_SHAPE = re.compile(r"(?:(?P<name>\w+)=)?(?P<sizes>(?:\d+|\?)(?:,(?:\d+|\?))*),?(?::(?P<dtype>[a-z]+\d*))?")


class Amount(click.ParamType):
    """`5M`, `500k`, `1e6` or `5000000`."""

    name = "count"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        typed = _COUNT.fullmatch(value.strip())
        if not typed:
            self.fail(f"{value!r} is no count; it takes 5M, 500k, 1e6 or a whole number.", param, ctx)
        return float(typed[1]) * UNITS[typed[2].lower()]


@dataclass(frozen=True)
class TypedInput:
    """One input as it was typed: its name, if there are several, its shape, and its type, if it was said."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class InputShape(click.ParamType):
    """`32,32,3`; `?` for a free size; `image=32,32,3` of several inputs; `64:int32` for codes."""

    name = "shape"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> TypedInput:
        """The input."""
        typed = _SHAPE.fullmatch(value.replace(" ", ""))
        if not typed:
            self.fail(f"{value!r} is no shape; it takes 32,32,3 (or image=32,32,3 or 64:int32).", param, ctx)
        sizes = tuple(None if size == "?" else int(size) for size in typed["sizes"].split(","))
        return TypedInput(typed["name"] or "", sizes, typed["dtype"] or "")
