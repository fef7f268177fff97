"""Which shape the images of a fit are resized to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from composable.auto.options import FitOptions
from composable.auto.pretrained_source import PretrainedSource
from composable.data.encoding import Encoding
from composable.data.kinds.image import ImageBlock, fit_images
from composable.data.kinds.kind import Cells
from composable.data.schema import Column
from composable.data.table import Table

COLORED = 3  # channels


def with_image_shapes(
    encoding: Encoding, table: Table, options: FitOptions, origin: PretrainedSource | None
) -> Encoding:
    """The columns of images with the shapes in the options, else with those that a trained network takes.

    Several columns get one shape, colored, so that one network can look at all of them.
    """
    wanted = None if origin is None else origin.images
    if origin is not None and origin.encoding is not None:
        wanted = next(iter(origin.encoding.of(ImageBlock)), None)
    return encoding.replaced(_shapes(encoding.of(ImageBlock), table, options, wanted))


def _shapes(
    found: Sequence[ImageBlock], table: Table, options: FitOptions, wanted: ImageBlock | None
) -> tuple[ImageBlock, ...]:
    if wanted is not None and wanted.height and options.image_size is None:
        return tuple(replace(wanted, column=one.column) for one in found)
    sized = [
        fit_images(
            Cells(Column(one.column, "image"), table.frame, table.sources[one.column]),
            longest=options.image_size,
            padded=options.keep_aspect,
        )
        for one in found
    ]
    if wanted is not None:
        return tuple(replace(one, channels=wanted.channels) for one in sized)
    if len(sized) > 1:
        height, width = max(one.height for one in sized), max(one.width for one in sized)
        return tuple(replace(one, height=height, width=width, channels=COLORED) for one in sized)
    return tuple(sized)
