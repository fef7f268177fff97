"""A design's JSON: it comes back as it was, and nothing but what `to_json` writes is let in."""

import json
import sys
from typing import Any

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composable.core.errors import ArtifactError, ComposableError, ConfigError
from composable.design import Architecture, Between, Choice, Part, Task, component
from composable.design.architecture import FORMAT
from composable.design.config import HIGHEST, LARGEST
from composable.design.learners import group
from composable.design.part import COMPONENTS
from composable.design.taps import tapped
from composable.design.tasks import classifier, compact_classifier, regressor
from composable.zoo.resnet import basic, bottleneck

quick = settings(max_examples=60)

CLOSED = Architecture(
    prestem=Part(keras.layers.Rescaling, scale=1 / 255),
    stem=(Part(keras.layers.Conv2D, filters=4, kernel_size=(3, 3)), Part(tapped, name="early")),
    learner=(Part(group, block=Part(basic, use_bias=True), filters=4, blocks=2),),
    tasks=(Task(Part(classifier, classes=3), "kind"), Task(Part(regressor), "age", reads="kind/embedding")),
)
OPENED = Architecture(
    stem=Choice((Part(keras.layers.Conv2D, filters=Choice((4, 8), name="width"), kernel_size=3), ())),
    learner=Part(
        group,
        block=Choice((Part(basic), Part(bottleneck, expansion=Choice((2, 4)))), name="block"),
        filters=Choice((4, 8), name="width"),
        blocks=Between(1, 3, log=True),
    ),
    tasks=Part(classifier, classes=3, dropout=Between(0.0, 0.5, name="dropout")),
)


@component
def anything(x, *, value: Any = None, more: Any = None):
    return x


def with_value(value):
    return Architecture(stem=Part(anything, value=value))


@pytest.mark.parametrize("architecture", [CLOSED, OPENED, Architecture()], ids=["closed", "open", "empty"])
def test_it_comes_back(architecture):
    again = Architecture.from_json(architecture.to_json())
    assert again == architecture
    assert again.identity() == architecture.identity()
    assert again.to_json() == architecture.to_json()


def test_a_component_is_named_with_its_family():
    config = json.loads(CLOSED.to_json())
    assert config["format"] == FORMAT
    assert config["learner"] == [
        {
            "component": "learners.group",
            "block": {"component": "resnet.basic", "use_bias": True},
            "filters": 4,
            "blocks": 2,
        }
    ]
    assert config["stem"][0] == {"component": "keras.Conv2D", "filters": 4, "kernel_size": [3, 3]}


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-HIGHEST, HIGHEST)
    | st.floats(-HIGHEST, HIGHEST)
    | st.text(max_size=3)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3).map(tuple)
        | st.lists(inner, min_size=1, max_size=3).map(lambda options: Choice(tuple(options)))
        | st.builds(lambda value: Part(anything, value=value), inner)
    ),
    max_leaves=6,
)


@quick
@given(values, values)
def test_identity_is_equal_where_architectures_are_and_only_there(one, other):
    first, second = with_value(one), with_value(other)
    assert Architecture.from_json(first.to_json()) == first
    assert (first == second) == (first.identity() == second.identity())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        ((1,), (1.0,)),
        (Between(0, 1), Between(0.0, 1.0)),
        ("1", 1),
        ((), None),
    ],
)
def test_values_that_only_python_takes_for_equal_have_identities_of_their_own(one, other):
    assert with_value(one) != with_value(other)
    assert with_value(one).identity() != with_value(other).identity()


def test_zero_has_one_sign():
    assert with_value(0.0) == with_value(-0.0)
    assert with_value(0.0).identity() == with_value(-0.0).identity()


def test_the_order_in_which_metaparameters_are_given_doesn_t_count():
    one = Architecture(stem=Part(anything, value=1, more=2))
    other = Architecture(stem=Part(anything, more=2, value=1))
    assert one == other
    assert one.identity() == other.identity()


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), HIGHEST + 1, {"a": 1}, object(), b"bytes", keras.initializers.Zeros()],
)
def test_what_is_no_json_is_refused_with_its_place(value):
    with pytest.raises(ConfigError, match=r"(?s)Metaparameters that become JSON.*stem\.value"):
        with_value(value).to_json()


def test_what_isn_t_registered_is_refused_with_the_remedy():
    def mine(x):
        return x

    for thing, remedy in (
        (mine, "put `@composable.component` above"),
        (keras.layers.Dense(3), r"Part\(keras.layers.Dense, "),
        (keras.layers.Lambda, "registered components alone"),
    ):
        part = Part(thing, function=abs) if thing is keras.layers.Lambda else Part(thing)
        with pytest.raises(ConfigError, match=rf"(?s)stem: .*{remedy}|{remedy}"):
            Architecture(stem=part).to_json()


def test_a_metaparameter_named_component_has_no_json():
    @component
    def odd(x, *, component=1):
        return x

    with pytest.raises(ConfigError, match="another name than `component`"):
        Architecture(stem=Part(odd, component=2)).to_json()


def design(**changes) -> str:
    config = json.loads(Architecture(tasks=Part(classifier, classes=3)).to_json())
    return json.dumps({**config, **changes})


def stem(value) -> str:
    return design(stem=value)


DENSE = {"component": "keras.Dense", "units": 3}
TASK = {"name": "", "reads": "encoding", "part": {"component": "tasks.regressor"}}
REFUSED = {
    "no JSON": "{",
    "no object": "[]",
    "a text": '"x"',
    "nothing": "",
    "another version": design(format="composable.architecture/1"),
    "another format": design(format=None),
    "a part is missing": json.dumps({"format": FORMAT, "stem": []}),
    "one part too many": design(head=[]),
    "tasks that are none": design(tasks={}),
    "a task without a part": design(tasks=[{"name": "", "reads": "encoding"}]),
    "a task with more": design(tasks=[{**TASK, "more": 1}]),
    "a task whose name is a number": design(tasks=[{**TASK, "name": 3}]),
    "an open task": design(tasks=[{**TASK, "part": {"choice": [TASK["part"]]}}]),
    "two tasks of one name": design(tasks=[TASK, TASK]),
    "a number as a part": stem(3),
    "null as a part": stem(None),
    "a text as a part": stem("keras.Dense"),
    "a list of numbers": stem([1]),
    "options that are no parts": stem({"choice": [1, 2]}),
    "a number between as a part": stem({"between": [1, 2]}),
    "an empty object": stem({}),
    "unknown keys": stem({"class_name": "Dense", "config": {}}),
    "a choice with more": stem({"choice": [DENSE], "more": 1}),
    "a choice of nothing": stem({"choice": []}),
    "a choice named by a number": stem({"choice": [DENSE], "name": 1}),
    "between with more": stem({**DENSE, "units": {"between": [1, 2], "step": 1}}),
    "between texts": stem({**DENSE, "units": {"between": ["1", "2"]}}),
    "between out of order": stem({**DENSE, "units": {"between": [2, 1]}}),
    "between three": stem({**DENSE, "units": {"between": [1, 2, 3]}}),
    "a wrong metaparameter": stem({**DENSE, "unit": 3}),
    "a metaparameter that is missing": stem({"component": "keras.Dense"}),
    "a metaparameter of a wrong type": design(tasks=[{**TASK, "part": {**TASK["part"], "outputs": "3"}}]),
    "a number that is a truth": design(tasks=[{**TASK, "part": {**TASK["part"], "outputs": True}}]),
    "a metaparameter out of range": design(tasks=[{**TASK, "part": {**TASK["part"], "dropout": 2.0}}]),
    "a number where a component is": design(tasks=[{**TASK, "part": {**TASK["part"], "pool": 3}}]),
    "code": stem({"component": "keras.Lambda", "function": "lambda x: x"}),
    "a foreign saved model": stem({"component": "keras.TFSMLayer", "filepath": "/"}),
    "a layer that reads a file": stem({"component": "keras.StringLookup", "vocabulary": "/etc/passwd"}),
    "another such layer": stem({"component": "keras.TextVectorization", "vocabulary": "/etc/passwd"}),
    "no layer": stem({"component": "keras.InputSpec"}),
    "no class": stem({"component": "keras.__builtins__"}),
    "Keras's module": stem({"component": "keras.src.layers.Dense"}),
    "Python's module": stem({"component": "os.system"}),
    "a builtin": stem({"component": "builtins.eval", "source": "1"}),
    "a dunder name": stem({"component": "__import__"}),
    "a dunder metaparameter": stem({**DENSE, "__class__": 1}),
    "the name of nothing": stem({"component": ""}),
    "a component that is a list": stem({"component": ["keras.Dense"]}),
    "one key twice": '{"format": 1, "format": 1}',
    "not a number": stem(0).replace("0", "NaN"),
    "infinity": stem(0).replace("0", "Infinity"),
    "an overflow": stem({**DENSE, "units": 7}).replace("7", "1e999"),
    "a huge number": stem({**DENSE, "units": HIGHEST + 1}),
    "a number of many digits": stem({**DENSE, "units": 7}).replace("7", "1" * 5000),
    "a deep list": stem(0).replace("0", "[" * 100 + "]" * 100),
    "a very deep list": stem(0).replace("0", "[" * 100_000 + "]" * 100_000),
    "a long text": stem("x" * 5 * 2**20),
    "a long name": stem({"component": "x" * 2**20}),
    "a long metaparameter": stem({**DENSE, "x" * 2**20: 1}),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused_at_once_and_does_nothing(text):
    components, modules = dict(COMPONENTS), set(sys.modules)
    with pytest.raises(ComposableError) as refused:
        Architecture.from_json(text)
    assert len(str(refused.value)) < 2000
    assert components == COMPONENTS
    assert {name for name in set(sys.modules) - modules if not name.startswith("keras")} == set()


def test_an_unknown_component_names_the_remedy_and_the_nearest():
    with pytest.raises(ArtifactError, match=r"(?s)stem.*import the module.*did you mean `resnet.basic`"):
        Architecture.from_json(stem({"component": "resnet.basik"}))


def test_large_designs_are_read_and_larger_ones_refused_unread():
    part = json.dumps({"component": "resnet.basic", "filters": 3})
    text = stem(0).replace("0", f"[{','.join([part] * 20_000)}]")
    assert len(Architecture.from_json(text).stem) == 20_000
    with pytest.raises(ComposableError, match=f"characters, more than {LARGEST}"):
        Architecture.from_json(text + " " * LARGEST)


json_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
names = st.sampled_from(
    ["component", "choice", "between", "name", "log", "part", "reads", "filters", "classes", "units", "block"]
)
components = st.sampled_from(
    ["keras.Dense", "keras.Lambda", "resnet.basic", "learners.group", "tasks.classifier", "os.system", "x"]
)
objects = st.recursive(
    json_scalars | components,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names | st.text(max_size=4), inner, max_size=3)
        | st.builds(
            lambda name, more: {**more, "component": name},
            components,
            st.dictionaries(names, inner, max_size=2),
        )
        | st.builds(lambda options: {"choice": options}, st.lists(inner, max_size=3))
        | st.builds(lambda bounds: {"between": bounds}, st.lists(inner, min_size=2, max_size=2))
    ),
    max_leaves=12,
)
tasks = st.lists(
    st.fixed_dictionaries({"name": st.text(max_size=3), "reads": st.text(max_size=3), "part": objects})
    | objects,
    max_size=2,
)
designs = st.fixed_dictionaries(
    {"format": st.just(FORMAT), "prestem": objects, "stem": objects, "learner": objects, "tasks": tasks}
)


@quick
@given(designs | objects)
def test_any_json_is_an_architecture_or_an_error_of_ours(value):
    try:
        found = Architecture.from_json(json.dumps(value))
    except ComposableError:
        return
    assert Architecture.from_json(found.to_json()) == found


@quick
@given(st.text(max_size=50))
def test_any_text_is_an_architecture_or_an_error_of_ours(text):
    with pytest.raises(ComposableError):
        Architecture.from_json(text)


def test_every_task_of_the_house_comes_back():
    for task in (classifier, compact_classifier):
        architecture = Architecture(tasks=Part(task, classes=3))
        assert Architecture.from_json(architecture.to_json()) == architecture
