"""The multiply-adds of every family are those in the program that JAX makes of its smallest member."""

import math

import keras
import pytest

from composable.design.building import outline
from composable.design.cost import cost
from composable.design.inputs import as_inputs
from composable.zoo import catalog
from composable.zoo.catalog import FAMILIES

LENGTH = 12  # of what is left free
families = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)


def program(model, inputs):
    """What JAX would run to predict one row."""
    import jax

    def row(given):
        return jax.ShapeDtypeStruct((1, *(size or LENGTH for size in given.shape)), given.dtype)

    def predict(trainable, others, x):
        return model.stateless_call(trainable, others, x, training=False)[0]

    weights = [
        [jax.ShapeDtypeStruct(weight.shape, weight.dtype) for weight in some]
        for some in (model.trainable_variables, model.non_trainable_variables)
    ]
    given = as_inputs(inputs)
    x = {name: row(one) for name, one in given.items()} if isinstance(given, dict) else row(given)
    return jax.make_jaxpr(predict)(*weights, x).jaxpr


def products(jaxpr):
    """The multiply-adds of its products and convolutions, loops included."""
    return sum(of_equation(equation) for equation in jaxpr.eqns)


def of_equation(equation):
    shapes = [each.aval.shape for each in equation.invars]
    made = math.prod(equation.outvars[0].aval.shape)
    match equation.primitive.name:
        case "dot_general":
            (summed, _), _ = equation.params["dimension_numbers"]
            return made * math.prod(shapes[0][axis] for axis in summed)
        case "conv_general_dilated":
            numbers, kernel = equation.params["dimension_numbers"], shapes[1]
            if max(equation.params["lhs_dilation"]) > 1:  # transposed: each number goes into a window
                return math.prod(shapes[0]) * math.prod(kernel) // kernel[numbers.rhs_spec[1]]
            return made * math.prod(kernel) // kernel[numbers.rhs_spec[0]]
    inner = [
        part
        for value in equation.params.values()
        for part in (value if isinstance(value, tuple) else [value])
    ]
    repeats = equation.params["length"] if equation.primitive.name == "scan" else 1
    programs = [getattr(part, "jaxpr", part) for part in inner]
    return repeats * sum(products(each) for each in programs if hasattr(each, "eqns"))


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() != "jax", reason="reads JAX's program")
@families
def test_multiply_adds_are_those_of_the_program(family):
    inputs = family.smallest.inputs
    model, _ = outline(catalog.made(family, dict(family.smallest.metaparameters)), inputs)
    assert cost(model, free=LENGTH).multiply_adds == products(program(model, inputs))
