"""From an architecture to a model: what may stand where, what is refused, and what the errors name."""

import subprocess
import sys

import keras
import numpy as np
import pytest

from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Input, Part, Task
from composable.design.layers import conv
from composable.design.learners import group
from composable.design.taps import tap, tapped
from composable.design.tasks import classifier, flattened, multi_label_classifier, regressor
from composable.zoo.resnet import resnet

TASK = Part(classifier, classes=3)


def brick(x, *, filters: int, strides: int = 1, use_bias: bool = True):
    return keras.layers.Conv2D(filters, 1, strides, use_bias=use_bias)(x)


def grouped(**given):
    return Part(group, **{"block": brick, "filters": 4, "blocks": 1} | given)


# --- what is open


def test_what_is_open_is_refused_by_path_when_built():
    opened = Architecture(
        learner=(grouped(), grouped(filters=Choice((4, 8)), blocks=Between(1, 2))), tasks=TASK
    )
    with pytest.raises(
        ConfigError, match=r"(?s)nothing in it is open.*learner\.1\.filters=.* and 1 more.*draw\("
    ):
        opened.build((8, 8, 3))


def test_everything_open_is_found_by_path_or_by_its_name():
    block = Choice((Part(brick), Part(brick, use_bias=Choice((True, False)))), name="block")
    opened = Architecture(
        stem=Choice((Part(conv, filters=Choice((4, 8)), kernel_size=3), ())),
        learner=(grouped(block=block), grouped(block=block, filters=Choice((4, 8)))),
        tasks=(Task(Part(classifier, classes=3, dropout=Between(0.0, 0.5)), "a"), Task(Part(regressor), "b")),
    )
    assert list(opened.openings()) == [
        "stem", "stem[0].filters", "block", "block[1].use_bias", "learner.1.filters", "tasks.0.dropout",
    ]  # fmt: skip


def test_closing_asks_once_per_name_and_never_for_what_isn_t_chosen():
    width = Choice((4, 8), name="width")
    opened = Architecture(
        stem=Choice((Part(conv, filters=Choice((1, 2)), kernel_size=3), Part(flattened))),
        learner=(grouped(filters=width), grouped(filters=width)),
    )
    asked = []

    def choose(path, opening):
        asked.append(path)
        return opening.options[-1]

    closed = opened.fill(choose)
    assert asked == ["stem", "width"]
    assert closed == Architecture(stem=flattened, learner=(grouped(filters=8), grouped(filters=8)))


def test_openings_of_one_name_agree():
    opened = Architecture(
        learner=(grouped(filters=Choice((4, 8), "w")), grouped(filters=Choice((4, 16), "w")))
    )
    for use in (opened.openings, lambda: opened.fill(lambda _, opening: opening.options[0])):
        with pytest.raises(ConfigError, match="Openings of one name have the same options"):
            use()


@pytest.mark.parametrize("value", [5, 4.0, True, "4", None, Choice((4, 5))])
def test_what_isn_t_on_offer_is_refused(value):
    opened = Architecture(learner=grouped(filters=Choice((4, 8))))
    with pytest.raises(ConfigError, match=r"(?s)closed with what it offers.*learner\.filters"):
        opened.fill(lambda path, opening: value)


def test_decisions_close_by_path_and_the_rest_stays_open():
    opened = Architecture(learner=(grouped(filters=Choice((4, 8))), grouped(filters=Choice((4, 8)))))
    assert list(opened.decided({"learner.0.filters": 4}).openings()) == ["learner.1.filters"]
    assert opened.decided({}) == opened
    with pytest.raises(ConfigError, match=r"(?s)Nothing is open at 'learner.2.filters'.*did you mean"):
        opened.decided({"learner.2.filters": 4})


# --- what stands where


@pytest.mark.parametrize("place", ["prestem", "stem", "learner"])
@pytest.mark.parametrize("thing", [3, "dense", None, {}, Between(1, 2), Choice((1, 2)), (brick, 3)])
def test_a_place_holds_parts(place, thing):
    with pytest.raises(ConfigError, match=rf"(?s)`?{place}|consists of parts"):
        Architecture(**{place: thing})


@pytest.mark.parametrize("part", [3, None, Choice((TASK, Part(regressor))), ((TASK,),)])
def test_a_task_has_a_part(part):
    with pytest.raises(ConfigError, match="A task has a part"):
        Architecture(tasks=(part,))


def test_a_metaparameter_that_is_missing_is_named_with_its_place():
    for architecture, place in (
        (lambda: Architecture(stem=(flattened, conv)), r"stem\.1"),
        (lambda: Architecture(learner=Part(group, block=brick, filters=3)), "learner"),
        (lambda: Architecture(stem=Choice((flattened, conv))), r"stem\[1\]"),
        (lambda: Architecture(tasks=Task(Part(classifier), "kind")), "task kind"),
        (lambda: Architecture(stem=keras.layers.Dense), "stem"),
    ):
        with pytest.raises(ConfigError, match=rf"(?s)`{place}` needs every metaparameter.*without .*give "):
            architecture()


def test_a_function_a_layer_class_a_layer_and_a_lambda_stand_anywhere():
    model = Architecture(
        stem=[keras.layers.Conv2D(4, 3), lambda x: x + 1],
        learner=(keras.layers.ReLU, ([keras.layers.Flatten],)),
        tasks=lambda x: keras.layers.Dense(2)(x),
    ).build((8, 8, 3))
    assert model.output_shape == (None, 2)
    assert type(model) is keras.Model or type(model).__name__ == "Functional"
    assert tap(model, "probabilities").output_shape == (None, 2)


def test_an_architecture_has_a_task_when_built():
    with pytest.raises(ConfigError, match="An architecture has a task"):
        Architecture(stem=flattened).build((8, 8, 3))


# --- tasks


@pytest.mark.parametrize(
    "tasks",
    [(TASK, TASK), (Task(TASK, "a"), Task(TASK, "a")), (Task(TASK, "a/b"),), (Task(TASK, "a"), TASK)],
    ids=["no names", "one name", "a slash", "one without"],
)
def test_tasks_have_different_names(tasks):
    with pytest.raises(ConfigError, match="different names, without a slash"):
        Architecture(tasks=tasks)


@pytest.mark.parametrize(("name", "reads"), [(3, "encoding"), ("a", None)])
def test_names_are_texts(name, reads):
    with pytest.raises(ConfigError, match="are texts"):
        Task(TASK, name, reads)


def test_several_tasks_give_a_dict_with_taps_of_their_own():
    model = Architecture(
        stem=Part(conv, filters=4, kernel_size=3),
        tasks=(Task(TASK, "kind"), Task(Part(multi_label_classifier, labels=2), "marks")),
    ).build((8, 8, 3))
    assert {name: output.shape for name, output in model.output.items()} == {
        "kind": (None, 3),
        "marks": (None, 2),
    }
    assert tap(model, "kind/logits").output_shape == (None, 3)
    assert tap(model, "logits").output_shape == [(None, 3), (None, 2)]
    with pytest.raises(ConfigError, match=r"(?s)no tap 'kind/logit'.*kind_logits"):
        tap(model, "kind/logit")


def test_a_task_reads_a_tap_in_the_middle_or_of_an_earlier_task():
    model = Architecture(
        learner=(grouped(), Part(tapped, name="middle"), grouped(filters=8)),
        tasks=(
            Task(TASK, "last"),
            Task(Part(regressor), "early", reads="middle"),
            Task(Part(regressor), "after", reads="last/embedding"),
        ),
    ).build((8, 8, 4))
    kernels = {layer.name: layer.kernel.shape for layer in model.layers if layer.name.endswith("logits")}
    assert kernels == {"last_logits": (8, 3), "early_logits": (4, 1), "after_logits": (8, 1)}


def test_a_task_that_reads_nothing_names_itself():
    architecture = Architecture(learner=grouped(), tasks=Task(TASK, "kind", reads="middle"))
    with pytest.raises(ConfigError, match=r"(?s)A task reads .*task 'kind' reads 'middle'.*tapped"):
        architecture.build((8, 8, 4))


def test_another_task_keeps_how_the_family_pools():
    first = Architecture(learner=grouped(), tasks=Part(classifier, classes=3, pool=flattened, dropout=0.5))
    second = first.with_tasks(
        Part(regressor),
    )
    assert second.tasks[0].part == Part(regressor, pool=flattened, dropout=0.5)
    assert first.with_tasks(Part(regressor, dropout=0.1)).tasks[0].part.metaparameters["dropout"] == 0.1
    assert second.learner == first.learner
    assert Architecture(learner=grouped()).with_tasks(TASK).tasks == (Task(TASK),)


# --- inputs


def test_inputs_may_be_several_by_name_and_tensors_travel_in_dicts_and_tuples():
    def split(x):
        return x["left"], keras.layers.Dense(3)(x["right"])

    def joined(pair):
        return {"joined": keras.layers.Concatenate()(list(pair))}

    model = Architecture(
        prestem=split, learner=joined, tasks=lambda x: keras.layers.Dense(1)(x["joined"])
    ).build({"left": (2,), "right": Input((5,), "int32")})
    assert {each.name: each.dtype for each in model.inputs} == {"left": "float32", "right": "int32"}
    assert {each.shape for each in model.inputs} == {(None, 2), (None, 5)}
    rows = {"left": np.zeros((4, 2), "float32"), "right": np.zeros((4, 5), "int32")}
    assert model(rows).shape == (4, 1)
    assert [each.shape for each in keras.tree.flatten(tap(model, "encoding").output)] == [(None, 5)]


@pytest.mark.parametrize("shape", [(8.0, 8, 3), (0, 8, 3), (-1,), [8, 8, 3], 8, "8", (True,), None])
def test_a_shape_is_whole_numbers_above_zero(shape):
    with pytest.raises(ConfigError, match="A shape is a tuple of whole numbers"):
        Architecture(tasks=TASK).build(shape)


# --- shapes that don't fit


def striding(x, *, filters=4, strides=2):
    return keras.layers.Conv2D(filters, 3, strides)(x)


def grouping(x, *, filters, strides):
    return keras.layers.Conv2D(filters, 3, strides, groups=3, padding="same")(x)


def test_an_input_that_is_too_small_names_the_group_and_the_block():
    architecture = Architecture(
        learner=(grouped(block=striding), grouped(block=striding, blocks=3)), tasks=TASK
    )
    with pytest.raises(ConfigError, match=r"(?s)`learner\.1\.block\[1\]` doesn't fit.*striding.* on 1x1x4"):
        architecture.build((8, 8, 3))


def test_groups_that_don_t_divide_channels_name_the_group_and_the_block():
    architecture = Architecture(learner=(grouped(), grouped(block=grouping)), tasks=TASK)
    with pytest.raises(ConfigError, match=r"(?s)`learner\.1\.block\[0\]` doesn't fit.*groups.* on 4x4x4"):
        architecture.build((8, 8, 3))


def test_a_block_that_takes_no_strides_names_the_group_and_the_block():
    architecture = Architecture(learner=grouped(block=flattened), tasks=TASK)
    with pytest.raises(
        ConfigError, match=r"(?s)`learner\.block\[0\]` doesn't fit.*unexpected keyword.*flattened"
    ):
        architecture.build((8, 8, 3))


def test_a_learner_that_gives_what_the_task_can_t_read_names_the_task():
    architecture = Architecture(learner=lambda x: (x, x), tasks=Task(Part(classifier, classes=3), ""))
    with pytest.raises(ConfigError, match=r"`tasks\.0"):
        architecture.build((8, 8, 3))


def test_an_architecture_is_a_value():
    one = Architecture(learner=grouped(), tasks=TASK)
    assert one == Architecture(learner=(grouped()), tasks=(Task(TASK),))
    assert {one: 1}[Architecture(learner=grouped(), tasks=TASK)] == 1
    with pytest.raises(AttributeError):
        one.stem = brick
    assert one.build((8, 8, 3)).count_params() == one.build((8, 8, 3)).count_params()


@pytest.mark.parametrize("gives", [None, 3, (), {"a": None}])
def test_a_part_that_gives_back_no_tensor_is_named(gives):
    wrong = Architecture(
        stem=lambda x: gives, learner=keras.layers.Dense(2), tasks=Part(classifier, classes=3)
    )
    with pytest.raises(ConfigError, match="`stem` doesn't fit what it is given: It gives back"):
        wrong.build((7,))


def test_an_unnamed_layer_never_takes_the_name_of_a_tap():
    def words(x):
        return keras.layers.Embedding(10, 4)(x)

    model = Architecture(stem=words, tasks=Part(classifier, classes=3)).build(Input((7,), "int32"))
    assert tap(model, "embedding").output.shape == (None, 4)


def test_two_layers_of_one_name_are_named():
    def twice(x):
        return keras.layers.Dense(3, name="same")(keras.layers.Dense(3, name="same")(x))

    with pytest.raises(ConfigError, match='"same" is used 2 times'):
        Architecture(stem=twice, tasks=Part(classifier, classes=3)).build((7,))


def test_json_of_the_house_needs_no_import_of_its_families():
    script = (
        "import sys; from composable import Architecture as A; print(A.from_json(sys.stdin.read()).to_json())"
    )
    text = resnet(depth=18).to_json()
    done = subprocess.run(
        [sys.executable, "-c", script], input=text, text=True, capture_output=True, check=True
    )
    assert done.stdout.strip() == text
