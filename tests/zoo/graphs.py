"""Two models of one structure: copy the weights of one into the other, wherever their layers are listed."""

import keras
import numpy as np


def weighted_layers(model: keras.Model) -> list:
    """The layers with weights as one meets them walking back from the outputs, inputs in their order."""
    found, seen = [], set()

    def visit(tensor):
        layer, node, _ = tensor._keras_history
        if (id(layer), node) in seen:
            return
        seen.add((id(layer), node))
        for given in layer._inbound_nodes[node].input_tensors:
            visit(given)
        for each in getattr(layer, "layers", (layer,)):  # a Sequential model inside is its layers
            if getattr(each, "weights", None) and each not in found:
                found.append(each)

    for output in keras.tree.flatten(model.output):
        visit(output)
    return found


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Fill `source` with random weights and copy them; kernels of another rank but one size are reshaped."""
    rng = np.random.default_rng(0)
    for ours, theirs in zip(weighted_layers(source), weighted_layers(target), strict=True):
        drawn = [_drawn(rng, weight) for weight in ours.weights]
        ours.set_weights(drawn)
        shapes = [weight.shape for weight in theirs.weights]
        assert [int(np.prod(s)) for s in shapes] == [v.size for v in drawn], (ours.name, theirs.name)
        theirs.set_weights([v.reshape(s) for v, s in zip(drawn, shapes, strict=True)])


def _drawn(rng, weight):
    if weight.path.endswith(("moving_variance", "gamma")):
        return rng.uniform(0.5, 1.5, weight.shape).astype("float32")
    fan_in = max(1, int(np.prod(weight.shape[:-1]))) if len(weight.shape) > 1 else 100
    return rng.normal(0, fan_in**-0.5, weight.shape).astype("float32")
