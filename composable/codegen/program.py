"""Source code of an architecture: plain Keras that reads as the paper's figure and needs no Composable.

The components are written as their authors wrote them, and applied in the order in which
`composable.design.building` applies them, so that the weights of one model fit the other.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable

import keras

from composable.codegen.build_function import LOCALS, Builder, gather
from composable.codegen.definitions import Definitions, import_lines
from composable.codegen.layout import quoted
from composable.design.architecture import Architecture
from composable.design.building import outline
from composable.design.inputs import Inputs

_BACKEND = '"KERAS_BACKEND"'  # which Keras reads as it is imported
_MAIN = 'if __name__ == "__main__":\n    build().summary()'


def source(architecture: Architecture, inputs: Inputs, *, name: str) -> str:
    """A Python file that builds the same model with Keras alone.

    Args:
        architecture: With nothing open.
        inputs: What the model takes, as for `Architecture.build`.
        name: Of the model.

    Raises:
        ConfigError: If the architecture can't be built, or the text of a component can't be had.
    """
    model, _ = outline(architecture, inputs)
    definitions = Definitions(reserved=frozenset({"build", *LOCALS}))
    gather(architecture, definitions)
    about = f"{name}: {model.count_params():,} parameters."
    function = Builder(definitions).function(architecture, inputs, name=name, about=about)
    return program(f"{name} as plain Keras: nothing else is needed.", definitions, [function, _MAIN])


def program(heading: str, definitions: Definitions, functions: Iterable[str]) -> str:
    """A complete file: what it is, what it imports, constants, components, and `functions` after them."""
    constants, components = definitions.texts(definitions.names())
    chosen = f"import os\n\nos.environ.setdefault({_BACKEND}, {quoted(keras.backend.backend())})"
    imports = import_lines(definitions.imports)
    top = [_docstring(heading, definitions), chosen, imports, "\n".join(constants)]
    return "\n\n\n".join(["\n\n".join(filter(None, top)), *components, *functions]) + "\n"


def _docstring(heading: str, definitions: Definitions) -> str:
    """The heading, and what the families' docstrings say: the paper, and where to read it."""
    modules = dict.fromkeys(module for module, _ in definitions.found)
    families = [name for name in modules if name.startswith("composable.zoo.")]
    docstrings = [inspect.cleandoc(sys.modules[name].__doc__ or "") for name in families]
    text = "\n\n".join([heading, *filter(None, docstrings)])
    return f'"""{text}\n"""' if docstrings else f'"""{text}"""'
