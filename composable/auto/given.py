"""What a user brings to a fit besides their data."""

from __future__ import annotations

from dataclasses import dataclass

from composable.auto.origin import Origin
from composable.zoo.catalog.written import Written


@dataclass(frozen=True, eq=False)
class Given:
    """What is brought.

    Attributes:
        design: In the place of the usual networks.
        origin: A trained network, to be tried first.
    """

    design: Written | None = None
    origin: Origin | None = None
