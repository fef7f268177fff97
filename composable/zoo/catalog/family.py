"""What the catalog says of a family: values alone, so that listing it neither imports Keras nor builds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from composable.design.inputs import Inputs

Modality = Literal["image", "table", "text", "series"]
PHOTO = (224, 224, 3)


@dataclass(frozen=True)
class Smallest:
    """The smallest member of a family worth testing: it builds in a moment and can still learn.

    Attributes:
        metaparameters: Of the family's function.
        inputs: The shape of one row.
    """

    metaparameters: Mapping[str, Any]
    inputs: Inputs


@dataclass(frozen=True)
class Family:
    """One architecture family: `composable.zoo.<module>.<function>(**metaparameters) -> Architecture`.

    Attributes:
        name: Which is also its function's name.
        modality: What its members take.
        paper: Who, when, and where to read it.
        members: The published variants: name -> metaparameters.
        smallest: For the tests.
        inputs: What a member takes unless it is built for something else.
        own_inputs: Of members published for another size.
        module: Where the function is, if not in a module of its name.
    """

    name: str
    modality: Modality
    paper: str
    members: Mapping[str, Mapping[str, Any]]
    smallest: Smallest
    inputs: Inputs = PHOTO
    own_inputs: Mapping[str, Inputs] = field(default_factory=dict)
    module: str = ""
