"""How each kind of input is read outside the package; what is deployed loops over these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from composable.data.encoding import Encoding
from composable.deploy.kinds.image import IMAGE
from composable.deploy.kinds.kind import DeployedKind
from composable.deploy.kinds.numbers import DATE, NUMBER
from composable.deploy.kinds.series import SERIES_DEPLOYED
from composable.deploy.kinds.texts import CATEGORY, TEXT

DEPLOYED: Mapping[str, DeployedKind] = {
    "number": NUMBER,
    "date": DATE,
    "category": CATEGORY,
    "text": TEXT,
    "image": IMAGE,
    "series": SERIES_DEPLOYED,
}


def deployed_blocks(encoding: Encoding) -> Iterator[tuple[str, DeployedKind, tuple[Any, ...]]]:
    """Each kind of which there are blocks: its name, how it is deployed, and the blocks."""
    for name, kind in DEPLOYED.items():
        if blocks := tuple(block for block in encoding.blocks if block.kind == name):
            yield name, kind, blocks
