"""Text to code tables: what the reference client applies before the model, and nothing else.

The model takes some of these inputs: `numbers` (float, NaN = missing), `dates` (float days since
2000-01-01), `categories` (integer codes), of texts `words`, `ngrams` and `characters` (integer ids, 0 =
nothing more), and `images` (levels from 0 to 255; of several columns one behind the other, as channels). All
that is numeric happens inside the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

UNKNOWN, MISSING, FIRST = 0, 1, 2  # category codes: never seen or rare; no value; the first known value
TEXTS = ("words", "ngrams", "characters")  # the model's inputs that hold the ids of texts
UNKNOWN_WORD = 1  # the id of a word that has none; 0 says that the text is over
TYPES: Mapping[str, str] = {"images": "uint8", **dict.fromkeys(("categories", *TEXTS), "int32")}
"""The types of the model's inputs that aren't float32."""


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
    """How a column of texts is read, see `composable.data.text_tokens`.

    In `words` stand the ids of a text's words in their order: `FIRST` and the place in `words`, or
    `UNKNOWN_WORD`. In `ngrams` stand, ascending, those of the different words and pairs of neighboring words
    that it holds: `FIRST` and the place in `words` followed by `pairs`. In `characters` likewise those of its
    runs of characters within words. What isn't in a vocabulary has no id there. Each list is cut at its width
    and filled up with 0. The lists of several columns stand side by side, and the ids of each column begin
    where those of the one before end.

    Attributes:
        column: The column's name.
        words: The vocabulary, the most frequent first.
        pairs: Of neighboring words, with a blank between them.
        characters: Runs of two to five, with a blank for the beginning and the end of a word.
        length: The width of `words`.
        most_ngrams: The width of `ngrams`.
        most_characters: The width of `characters`; 0 where texts are long, then there is no such input.
    """

    column: str
    words: tuple[str, ...]
    pairs: tuple[str, ...]
    characters: tuple[str, ...]
    length: int
    most_ngrams: int
    most_characters: int

    @property
    def vocabularies(self) -> dict[str, tuple[str, ...]]:
        """What has an id, by the name of the model's input."""
        return {"words": self.words, "ngrams": self.words + self.pairs, "characters": self.characters}

    @property
    def widths(self) -> dict[str, int]:
        """How many ids a text has room for, by the name of the model's input."""
        widths = {"words": self.length, "ngrams": self.most_ngrams, "characters": self.most_characters}
        return {name: width for name, width in widths.items() if width}


@dataclass(frozen=True)
class ImageColumn:
    """The column of `images`: each decoded and resized, (height, width, channels) of uint8.

    What that means, to the pixel, says `composable.data.images.conversion.read_image`; `padded` is that of
    its `ImageShape`.
    """

    column: str
    height: int
    width: int
    channels: int
    padded: bool = False

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
            *(t.column for t in self.texts if t.column not in {c.column for c in self.categories}),
            *(i.column for i in self.images),
        )

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shape of each model input that is there, for one row."""
        vectors = {name: (width,) for name, width in self.widths.items()}
        if not self.images:
            return vectors
        height, width, channels = self.images[0].shape
        return {**vectors, "images": (height, width, channels * len(self.images))}

    @property
    def widths(self) -> dict[str, int]:
        """The width of each model input that is there and one vector per row."""
        widths = {
            "numbers": len(self.numbers),
            "dates": len(self.dates),
            "categories": len(self.categories),
            **{name: sum(table.widths.get(name, 0) for table in self.texts) for name in TEXTS},
        }
        return {name: width for name, width in widths.items() if width}

    @property
    def vocabularies(self) -> dict[str, int]:
        """How many ids there are for each input of texts that is there, those below `FIRST` included."""
        sizes = {name: FIRST + sum(len(t.vocabularies[name]) for t in self.texts) for name in TEXTS}
        return {name: size for name, size in sizes.items() if name in self.widths}


def known_encoding(found: Encoding, known: Encoding) -> Encoding:
    """The encoding that a trained network knows, if it has the same columns; the images stay as found."""
    same = set(replace(found, images=()).columns) == set(replace(known, images=()).columns)
    return replace(known, images=found.images) if same else found
