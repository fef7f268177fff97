"""A bundle's model as source code: its networks, their average, and what stands between raw rows and answers.

The program needs the bundle's files beside it and Keras, but no Composable. It is put together from the
functions that made the model, so that its graph is the same and the weights fit. What reads raw cells are the
clients of `composable.deploy.kinds`; what gives answers stands here, in plain Python, as
`composable.deploy.answers` does it for whole pandas columns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from composable.amalgamation import EnsembleMember, average, mirrored
from composable.codegen.definitions import Definitions
from composable.codegen.layout import Node, assigned, call, laid_out, literal, several
from composable.codegen.program import LOCALS, Builder, gather, program
from composable.core.errors import ArtifactError
from composable.data.images.pixels import image_facts
from composable.deploy.answers import class_codes, class_shares, class_words, full_size, levels_at
from composable.deploy.bundle import CARD, MODEL, Bundle
from composable.deploy.card import BundleCard, Member
from composable.deploy.kinds import deployed_blocks
from composable.deploy.kinds.kind import Rows, Table, column_of
from composable.design.architecture import Architecture
from composable.design.inputs import Input
from composable.problem.postprocessing import PostProcessing
from composable.zoo.catalog.parse import parse_design

_LOAD = f'''\
def load(folder):
    """The model with the weights of a bundle, and the bundle's tables."""
    model = build()
    model.load_weights(Path(folder) / "{MODEL}")
    return model, json.loads((Path(folder) / "{CARD}").read_text(encoding="utf-8"))'''
_PREDICT = '''\
def predict(loaded, rows) -> dict[str, list]:
    """Answers to raw rows, by column.

    Args:
        loaded: What `load` gave.
        rows: The cells of each column by its name, as Python or pandas reads them from a file.
    """
    model, tables = loaded
    blocks = {{}}
    for block in tables["encoding"]["blocks"]:
        blocks.setdefault(block["kind"], []).append(block)
    columns = {{column["name"]: column for column in tables["schema"]["columns"]}}
    inputs = {{
{inputs}
    }}
    outputs = keras.tree.flatten(model.predict(inputs, verbose=0))
    return {answers}'''
_ANSWERS, _MASKS = 'answers(outputs, tables["problem"]["heads"])', "mask_answers(outputs, tables, rows)"
_MAIN = """\
if __name__ == "__main__":
    build().summary()"""
_NAMES = frozenset({"build", "load", "predict", "members", *LOCALS})


def bundle_source(bundle: Bundle) -> str:
    """The Python file.

    Raises:
        ArtifactError: If the bundle doesn't state which architectures it averages.
        ConfigError: If the text of a component can't be had.
    """
    card = bundle.card
    if not card.members:
        raise ArtifactError(
            "A bundle says what its model is made of.",
            received=f"{bundle.origin}: no members",
            remedy="fit again with this version; older ones didn't record it",
        )
    architectures = _architectures(card)
    definitions = Definitions(reserved=_NAMES | set(architectures))
    for module in (json, keras, keras.layers):
        definitions.add(module)
    definitions.imported(("pathlib", "Path"))
    for architecture in architectures.values():
        gather(architecture, definitions)
    clients = {name: kind.client for name, kind, _ in deployed_blocks(card.encoding)}
    needed = [PostProcessing, EnsembleMember, logits_of, average, *clients.values()]
    if any(any(member.mirrored) for member in card.members):
        needed.append(mirrored)
    for each in (
        *needed,
        *((mask_answers, write_mask) if bundle.masked else (answers,)),
    ):
        definitions.add(each)
    builder = Builder(definitions)
    dtypes = card.encoding.dtypes
    inputs = {name: Input(shape, dtypes[name]) for name, shape in card.encoding.shapes.items()}
    networks = [
        builder.function(architecture, inputs, name=name, about=f"The network {name}.", called=name)
        for name, architecture in architectures.items()
    ]
    predict = _PREDICT.format(
        inputs="\n".join(
            f"        **{client.__name__}(rows, blocks[{literal(name)}], columns),"
            for name, client in clients.items()
        ),
        answers=_MASKS if bundle.masked else _ANSWERS,
    )
    heading = (
        f"{card.name} as plain Keras: from raw rows to {', '.join(card.problem.targets)}.\n\n"
        f"    import model  # this file\n\n"
        f"    loaded = model.load(folder)  # the bundle: {MODEL} and {CARD}\n"
        f'    model.predict(loaded, {{"column": ["value", "value"]}})'
    )
    return program(heading, definitions, [*networks, _build(card), _LOAD, predict, _MAIN])


def logits_of(network: keras.Model) -> keras.Model:
    """The network up to what its last activation is applied to."""
    found = [layer for layer in network.layers if layer.name == "logits" or layer.name.endswith("_logits")]
    found.sort(key=lambda layer: (len(layer.name), layer.name))
    outputs = [layer.output for layer in found]
    return keras.Model(network.input, outputs[0] if len(outputs) == 1 else outputs)


def _architectures(card: BundleCard) -> dict[str, Architecture]:
    """Each different one once, by the name of its function."""
    return {
        member.name: parse_design(json.dumps(member.architecture)).architecture for member in card.members
    }


def _build(card: BundleCard) -> str:
    members = several(
        (
            call("EnsembleMember", _logits(member, number), several(map(_last_step, steps)), repr(share))
            for member in card.members
            for number, steps in enumerate(member.postprocessing)
            for share in [member.weight / len(member.postprocessing)]
        ),
        "[]",
    )
    final = [several(map(_last_step, card.final))] if card.final else []
    lines = [
        '"""The networks\' answers, averaged: what turns logits into each, and its weight."""',
        laid_out(assigned("members", members, " = "), 4),
        laid_out(call("return average", "members", *final), 4),
    ]
    return "\n".join(["def build() -> keras.Model:", *(f"    {line}" for line in lines)])


def _logits(member: Member, number: int) -> str:
    """The call that makes one of its networks, up to the logits."""
    logits = f"logits_of({member.name}())"
    return f"mirrored({logits})" if any(member.mirrored[number : number + 1]) else logits


def _last_step(fields: Mapping[str, str | float]) -> Node:
    return call("PostProcessing", **{name: literal(value) for name, value in fields.items()})


def answers(outputs: Sequence[np.ndarray], heads: Sequence[Table]) -> dict[str, list[Any]]:
    """`prediction` and, for classes, `p_<class>`; with several targets `prediction_<target>` and so on."""
    columns = {}
    several = sum(len(head["targets"]) for head in heads) > 1
    for head, output in zip(heads, outputs, strict=True):
        for position, target in enumerate(head["targets"]):
            middle = f"_{target}" if several else ""
            found = output.astype("float64")
            if not head["labels"]:
                columns[f"prediction{middle}"] = found[:, 0].tolist()
                continue
            if found.shape[1] == len(head["targets"]):  # one probability says that of both classes
                found = np.stack([1.0 - found[:, position], found[:, position]], axis=1)
            threshold = head["thresholds"][position] if head["thresholds"] else 0.5
            codes = class_codes(found, threshold)
            columns[f"prediction{middle}"] = [head["labels"][code] for code in codes]
            for word, probabilities in zip(class_words(head["labels"]), found.T, strict=True):
                columns[f"p{middle}_{word}"] = probabilities.tolist()
    return columns


def mask_answers(outputs: Sequence[np.ndarray], tables: Table, rows: Rows) -> dict[str, list[Any]]:
    """`prediction`, the mask of each image as it was, (height, width) of uint8, and `share_<class>`."""
    (head,), (image,) = tables["problem"]["heads"], tables["encoding"]["blocks"]
    columns: dict[str, list[Any]] = {"prediction": []}
    columns |= {f"share_{label}": [] for label in head["labels"]}
    for cell, probabilities in zip(column_of(rows, image["column"]), outputs[0], strict=True):
        seen = image_facts(Path(cell))
        codes = full_size(probabilities, seen.height, seen.width)
        columns["prediction"].append(levels_at(codes, head["labels"]))
        for label, share in zip(head["labels"], class_shares(codes, len(head["labels"])), strict=True):
            columns[f"share_{label}"].append(float(share))
    return columns


def write_mask(mask: np.ndarray, path: str | Path) -> None:
    """Write a mask as a PNG file, in which the classes have the levels that the training masks had."""
    Image.fromarray(mask).save(path, "PNG")
