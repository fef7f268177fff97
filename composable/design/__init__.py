"""How a model is composed: components, parts, architectures, tasks. Nothing here trains."""

from composable.design.architecture import Architecture as Architecture
from composable.design.architecture import tap as tap
from composable.design.part import Choice as Choice
from composable.design.part import Part as Part
from composable.design.part import component as component
