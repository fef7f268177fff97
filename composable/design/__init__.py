"""How a model is composed: components, parts, architectures, tasks. Nothing here trains."""

from composable.core.backend import choose_backend
from composable.design.architecture import Architecture as Architecture
from composable.design.architecture import Task as Task
from composable.design.choice import Between as Between
from composable.design.choice import Choice as Choice
from composable.design.inputs import Input as Input
from composable.design.part import Part as Part
from composable.design.part import component as component

choose_backend()  # nothing above imports Keras; the families of the zoo and the tasks do
