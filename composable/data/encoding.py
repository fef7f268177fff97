"""Text to code tables: what the reference client applies before the model, and nothing else.

The model takes up to five inputs: `numbers` (float, NaN = missing), `dates` (float days since 2000-01-01),
`categories` (integer codes), `texts` (float, hashed tokens) and `images` (levels from 0 to 255). All that is
numeric happens inside the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TYPES: Mapping[str, str] = {"categories": "int32", "images": "uint8"}  # of model inputs; float32 elsewhere
UNKNOWN, MISSING, FIRST = 0, 1, 2  # category codes: never seen or rare; no value; the first known value


@dataclass(frozen=True)
class NumberColumn:
    """A column of `numbers`: `float32(float64(value) - offset)`.

    The offset is 0 but where float32 could not tell the column's values apart (time stamps, long numbers).
    """

    column: str
    offset: float = 0.0


@dataclass(frozen=True)
class CategoryTable:
    """A column of `categories`: the text `values[i]` has the code `FIRST + i`.

    `spellings` are other ways a value was written in the training data ("WD " for "WD"); they count as it.
    """

    column: str
    values: tuple[str, ...]
    spellings: Mapping[str, str]

    @property
    def size(self) -> int:
        """The number of codes, the unknown and the missing one included."""
        return FIRST + len(self.values)


@dataclass(frozen=True)
class TextTable:
    """`buckets` columns of `texts`: 1 where a token of the row falls into the bucket, else 0.

    Tokens are the lower-case text split at blanks; `tokens` gives each token seen in training its bucket (by
    a hash of its letters and digits, so "Good," and "good" share one). Tokens not in the table are ignored.
    """

    column: str
    buckets: int
    tokens: Mapping[str, int]


@dataclass(frozen=True)
class ImageColumn:
    """The column of `images`: each decoded and resized, (height, width, channels) of uint8.

    What that means, to the pixel, says `composable.data.images.conversion.read_image`.
    """

    column: str
    height: int
    width: int
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of each image."""
        return self.height, self.width, self.channels


@dataclass(frozen=True)
class Encoding:
    """How raw rows become the model's inputs; fitted on training rows alone."""

    numbers: tuple[NumberColumn, ...] = ()
    dates: tuple[str, ...] = ()
    categories: tuple[CategoryTable, ...] = ()
    texts: tuple[TextTable, ...] = ()
    images: tuple[ImageColumn, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every raw column the model needs."""
        return (
            *(n.column for n in self.numbers),
            *self.dates,
            *(c.column for c in self.categories),
            *(t.column for t in self.texts),
            *(i.column for i in self.images),
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each model input that is there, for one row."""
        vectors = {name: (width,) for name, width in self.widths.items()}
        return vectors | ({"images": self.images[0].shape} if self.images else {})

    @property
    def widths(self) -> dict[str, int]:
        """The width of each model input that is there and one vector per row."""
        widths = {
            "numbers": len(self.numbers),
            "dates": len(self.dates),
            "categories": len(self.categories),
            "texts": sum(t.buckets for t in self.texts),
        }
        return {name: width for name, width in widths.items() if width}
