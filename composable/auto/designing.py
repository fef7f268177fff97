"""A user's own design, held against the table before anything is trained."""

from __future__ import annotations

import json

import keras
import numpy as np

from composable.auto.prepare import Prepared
from composable.core.errors import ArtifactError, ConfigError
from composable.core.machine import memory_gb
from composable.data.kinds.image import ImageBlock
from composable.data.schema import Schema
from composable.design.building import outline
from composable.design.keras_configuration import checked_config
from composable.problem.kinds import answers_pixels
from composable.search.candidates import candidates
from composable.search.table import Pixels, Table
from composable.zoo.catalog import FAMILIES
from composable.zoo.catalog.parse import ParsedDesign, parse_design

_FAMILIES_FOR = {"image": ("image",), "text": ("text", "table")}  # by the kind that all features are of
_TRAINED = 5  # numbers kept per parameter: itself, its gradient, AdamW's two moments, the best so far


def read_design(text: str | None, schema: Schema) -> ParsedDesign | None:
    """The design that `--design` means, None where there is none.

    Raises:
        ConfigError: If there is no such design, it isn't JSON, or it takes other data than these: families
            for images or texts learn where all features are such, those for tables from any columns.
    """
    if text is None:
        return None
    design = parse_design(text)
    design.architecture.to_json()  # a run keeps its designs as JSON, so every component must have a name
    family = FAMILIES.get(design.family or "")
    kinds = {column.kind for column in schema.features}
    modalities = _FAMILIES_FOR.get(kinds.pop(), ("table",)) if len(kinds) == 1 else ("table",)
    if family is not None and family.modality not in modalities:
        raise ConfigError(
            f"These columns are learned by a design for the modality {' or '.join(modalities)}.",
            received=f"{design.name} takes {family.modality} data of shape {family.inputs}",
            remedy=f"`composable design list --modality {modalities[0]}` shows those there are",
        )
    return design


def check_design(design: ParsedDesign, prepared: Prepared) -> None:
    """Build the design for these rows, without training.

    Raises:
        ConfigError: If it doesn't fit the inputs or this machine's memory, holds a layer that no bundle may
            hold, or doesn't answer for every pixel where masks are asked for.
    """
    material = prepared.material
    first = next(candidates(table_of(prepared), seed=0, design=design))
    model, _ = outline(first.architecture, material.shapes)
    _check_size(model.count_params(), design)
    if answers_pixels(material.problem):
        _check_maps(model, material.shapes["images"].shape, design)
    try:
        checked_config(json.dumps(keras.saving.serialize_keras_object(model)).encode(), design.name)
    except ArtifactError as refused:
        raise ConfigError(
            "A design is made of stock Keras layers that a bundle may hold.",
            received=refused.received,
            remedy="compose it of layers and operations listed in composable/design/keras_configuration.py",
        ) from refused


def _check_maps(model: keras.Model, wanted: tuple[int | None, ...], design: ParsedDesign) -> None:
    said = tuple(keras.tree.flatten(model.output)[0].shape[1:-1])
    if said != tuple(wanted[:2]):
        raise ConfigError(
            "Masks are learned by a design that answers for every pixel.",
            received=f"{design.name} makes maps of {said} from images of {tuple(wanted[:2])}",
            remedy="a padded U-Net: --design unet_same",
        )


def _check_size(parameters: int, design: ParsedDesign) -> None:
    memory = memory_gb()
    needed = _TRAINED * 4 * parameters / 1e9
    if memory is not None and needed > memory:
        raise ConfigError(
            "A design is trained in this machine's memory.",
            received=f"{design.name}: {parameters:,} parameters, about {needed:,.0f} GB to train; "
            f"the machine has {memory} GB",
            remedy="make it smaller; `composable design show` counts it",
        )


def table_of(prepared: Prepared) -> Table:
    """What decides about the sizes of networks."""
    material = prepared.material
    rows = prepared.split.folds[0].train
    count = len(prepared.encoding.of(ImageBlock))
    pixels = Pixels.of(material.inputs["images"], rows, count) if count else None
    known = np.zeros(len(material.targets[0]), bool)
    for fold in prepared.split.folds:
        known[fold.train] = known[fold.held_out] = True
    sizes = material.categories, material.vocabularies
    return Table(material.problem, len(rows), material.widths, *sizes, pixels, known=int(known.sum()))
