"""The program beside an ONNX file that takes texts: raw cells to ids, in plain Python and NumPy."""

from __future__ import annotations

import json

from composable.codegen.definitions import Definitions, import_lines
from composable.deploy import plain_client as client
from composable.deploy.bundle import CARD

PRESTEP = "texts.py"
_ENCODED = f'''\
def encoded(folder, rows) -> dict[str, np.ndarray]:
    """What the ONNX file takes of the columns of texts, by the name of its input.

    Args:
        folder: Where {CARD} lies.
        rows: The cells of each column by its name; None where there is none.
    """
    tables = json.loads((Path(folder) / "{CARD}").read_text(encoding="utf-8"))
    columns = {{column["name"]: column for column in tables["schema"]["columns"]}}
    texts = tables["encoding"]["texts"]
    found = {{"words": encoded_words(rows, texts, columns), "ngrams": encoded_ngrams(rows, texts, columns)}}
    runs = encoded_characters(rows, texts, columns)
    return found | ({{"characters": runs}} if runs.shape[1] else {{}})'''


def text_step() -> str:
    """The Python file; the same for all models."""
    definitions = Definitions(reserved=frozenset({"encoded"}))
    definitions.add(json)
    definitions.imported(("pathlib", "Path"))
    for each in (client.encoded_words, client.encoded_ngrams, client.encoded_characters):
        definitions.add(each)
    constants, functions = definitions.texts(definitions.names())
    heading = (
        f'"""Texts to ids, for the ONNX file beside this one: `encoded(folder, rows)`, with {CARD} there."""'
    )
    top = [heading, import_lines(definitions.imports), "\n".join(constants)]
    return "\n\n\n".join(["\n\n".join(top), *functions, _ENCODED]) + "\n"
