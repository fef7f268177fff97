"""How a model is composed: components, parts, architectures, tasks. Nothing here trains."""

from composable.core.backend import choose_backend

choose_backend()  # whoever imports a family of the zoo imports Keras with it

from composable.design.architecture import Architecture as Architecture
from composable.design.architecture import Task as Task
from composable.design.choice import Between as Between
from composable.design.choice import Choice as Choice
from composable.design.inputs import Input as Input
from composable.design.part import Part as Part
from composable.design.part import component as component
