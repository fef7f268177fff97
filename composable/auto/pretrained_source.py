"""Where a fit begins: a bundle of one's own, or a file of Keras; nothing is ever downloaded."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from composable.core.errors import ConfigError
from composable.data.encoding import Encoding
from composable.data.kinds.image import ImageBlock
from composable.data.profile import RowSketch
from composable.deploy.bundle import MODEL, load_bundle
from composable.deploy.safe_load import load_model
from composable.design import Architecture, Part
from composable.design.pretrained import Levels, network_json, pretrained_layers
from composable.design.stems import select_input
from composable.design.taps import tap
from composable.zoo.catalog.parse import parse_design

ENCODING = "encoding"
_MAPS = 4  # axes of feature maps
_CAFFE = ("resnet50", "resnet101", "resnet152", "vgg")  # names that keras.applications gives
_CENTERD = ("inception", "mobilenet_", "mobilenetv2", "nasnet", "xception")
_SCALING = (keras.layers.Normalization, keras.layers.Rescaling)
_FIRST = 4  # layers among which a network's own scaling stands


@dataclass(frozen=True, eq=False)
class PretrainedSource:
    """A trained network whose trunk new tasks stand on.

    Attributes:
        name: Of the network.
        path: Where it was.
        sha256: Of its file.
        architecture: Up to the tap; its tasks are the old ones.
        trunk: The trained network up to the tap.
        encoding: Of the rows that it takes; None where it takes images alone.
        images: The shape of its images, where no encoding says it.
        description: For the user: from which file, and up to where, the network was read.
        rows: A sample of the rows that it has learned from; None where that isn't known.
    """

    name: str
    path: str
    sha256: str
    architecture: Architecture
    trunk: keras.Model
    encoding: Encoding | None
    images: ImageBlock | None
    description: str
    rows: RowSketch | None = None


def read_pretrained_source(path: str | None, at: str | None) -> PretrainedSource | None:
    """What `--from` names, up to what `--tap` names; None where there is none.

    Args:
        path: Of a run, a bundle or a `.keras` file.
        at: `encoding`, a part of the architecture such as `stem` or `learner.1`, or a layer of the file.

    Raises:
        ArtifactError: If there is no complete bundle or model.
        ConfigError: If a bundle doesn't state its architecture, or there is no such tap.
    """
    if path is None:
        return None
    return _of_file(Path(path), at) if path.endswith(".keras") else _of_bundle(path, at or ENCODING)


def _of_bundle(path: str, at: str) -> PretrainedSource:
    """The candidate that weighs most."""
    bundle = load_bundle(Path(path))
    members = bundle.card.members
    if not members:
        raise ConfigError(
            "A fit begins from a bundle that says what it is made of.",
            received=f"{path}: no members",
            remedy="fit again with this version; older ones didn't record it",
        )
    heaviest = max(members, key=lambda member: member.weight)
    number = sum(len(member.postprocessing) for member in members[: members.index(heaviest)])
    network = _innermost(bundle.model.get_layer(f"network_{number}"))
    found = parse_design(json.dumps(heaviest.architecture)).architecture
    encoding = bundle.card.encoding
    return PretrainedSource(
        name=heaviest.name,
        path=path,
        sha256=hashlib.sha256(bundle.files[MODEL]).hexdigest(),
        architecture=found if at == ENCODING else _up_to(found, at),
        trunk=tap(network, ENCODING),
        encoding=encoding,
        images=None,
        description=f"{heaviest.name} of {path}, up to {at}",
        rows=bundle.card.rows,
    )


def _up_to(architecture: Architecture, at: str) -> Architecture:
    """The architecture up to a tap, without the parts that follow."""
    learner = architecture.learner if isinstance(architecture.learner, tuple) else (architecture.learner,)
    ends = {"stem": 0, **{f"learner.{number}": number + 1 for number in range(len(learner))}}
    if at not in ends:
        raise _no_tap(at, [*ends, ENCODING])
    return Architecture(
        prestem=architecture.prestem,
        stem=architecture.stem,
        learner=learner[: ends[at]],
        tasks=architecture.tasks,
    )


def _of_file(path: Path, at: str | None) -> PretrainedSource:
    model = load_model(path)
    shape: Any = model.inputs[0].shape[1:]
    if len(model.inputs) != 1 or len(shape) != _MAPS - 1 or shape[-1] not in (1, 3):
        raise ConfigError(
            "A fit begins from a file of Keras whose one input is images in gray or color.",
            received=f"{path}: {', '.join(str(tuple(one.shape)) for one in model.inputs)}",
            remedy="begin from a run or a bundle where rows hold other columns",
        )
    layers = {layer.name: layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)}
    at = _last_maps(layers) if at in (None, ENCODING) else at
    if at not in layers:
        raise _no_tap(at, layers)
    trunk = keras.Model(model.inputs, layers[at].output)
    levels = _levels(model)
    part = Part(pretrained_layers, network=network_json(trunk), levels=levels)
    height, width, channels = shape
    return PretrainedSource(
        name=path.stem,
        path=str(path),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        architecture=Architecture(prestem=Part(select_input), learner=part),
        trunk=trunk,
        encoding=None,
        images=ImageBlock("", height or 0, width or 0, channels),
        description=f"{path}, up to its layer {at}; it is taken to want levels {levels} "
        "(a Rescaling as the first layer of the file says otherwise)",
    )


def _last_maps(layers: dict[str, Any]) -> str:
    """The last layer that gives feature maps, else the last but one."""
    maps = [name for name, layer in layers.items() if len(getattr(layer.output, "shape", ())) == _MAPS]
    return maps[-1] if maps else list(layers)[-2]


def _levels(model: keras.Model) -> Levels:
    """That a network takes: as its own first layers scale them, else as its family's do, else 0 to 1."""
    if any(isinstance(layer, _SCALING) for layer in model.layers[:_FIRST]):
        return "0..255"
    name = model.name.lower()
    if name.startswith(_CAFFE) and "v2" not in name:
        return "caffe"
    return "-1..1" if name.startswith((*_CENTERD, *_CAFFE)) else "0..1"


def _no_tap(at: str | None, known: Any) -> ConfigError:
    names = list(known)
    shown = names if len(names) <= 12 else [*names[:3], "...", *names[-8:]]
    return ConfigError(
        "--tap names what new tasks stand on.",
        received=f"{at}; there are {', '.join(shown)}",
        remedy="name one of them",
    )


def _innermost(model: keras.Model) -> keras.Model:
    """The network in its wrappers."""
    inner = [layer for layer in model.layers if isinstance(layer, keras.Model)]
    return _innermost(inner[0]) if inner else model
