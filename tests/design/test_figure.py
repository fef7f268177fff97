"""The figure of an architecture says what stands where and adds up."""

from xml.etree import ElementTree as ET

import pytest
from keras import layers

from composable.design import Architecture, Part, Task
from composable.design.building import outline
from composable.design.figure import Row, figure, figure_svg
from composable.design.taps import tapped
from composable.design.tasks import classifier, regressor


def block(x, *, units):
    return layers.Add()([x, layers.Dense(units)(x)])


def line(x, *, block, blocks, units):
    for _ in range(blocks):
        x = block(x, units=units)
    return x


def wrapped(x, *, block, units):
    return block(x, units=units)


def growing(x, *, block, blocks):
    for _ in range(blocks):
        x = layers.Concatenate()([x, block(x, units=2)])
    return x


def branches(x, *, block, blocks):
    return layers.Concatenate()([block(x, units=2 + n) for n in range(blocks)])


def drawn(learner, tasks=Part(classifier, classes=3), inputs=(4,), title="tiny"):  # noqa: B008 (a value)
    architecture = Architecture(stem=Part(layers.Dense, units=4), learner=learner, tasks=tasks)
    model, trail = outline(architecture, inputs)
    found = figure(architecture, trail, title=title)
    assert sum(row.parameters for row in found.rows) == model.count_params()
    return found


def test_each_part_has_its_path_shape_and_parameters():
    found = drawn(Part(line, block=Part(block), blocks=1, units=4))
    assert [(row.path, row.shape, row.parameters) for row in found.rows] == [
        ("stem", "4", 20),
        ("learner", "4", 20),
        ("tasks.0", "3", 15),
    ]
    learner = found.rows[1]
    assert learner.settings == ("block block", "blocks 1", "units 4")
    assert [row.path for row in learner.inner] == ["block[0]"]
    assert (found.inputs, found.rows[2].reads) == ("4", "encoding")


def test_equal_blocks_are_one_row():
    (row,) = drawn(Part(line, block=Part(block), blocks=3, units=4)).rows[1].inner
    assert (row.repeats, row.parameters, row.shape) == (3, 60, "4")


def test_parts_inside_equal_blocks_add_up():
    (row,) = drawn(Part(line, block=Part(wrapped, block=Part(block)), blocks=3, units=4)).rows[1].inner
    assert (row.repeats, row.parameters) == (3, 60)
    assert [(each.component, each.repeats, each.parameters) for each in row.inner] == [
        ("test_figure.block", 1, 60)
    ]


def test_many_blocks_that_grow_are_one_row_with_the_last_shape():
    dense = Part(layers.Dense)
    assert len(drawn(Part(growing, block=dense, blocks=3)).rows[1].inner) == 3
    (row,) = drawn(Part(growing, block=dense, blocks=6)).rows[1].inner
    assert (row.repeats, row.parameters) == (6, sum(2 * (4 + 2 * n) + 2 for n in range(6)))


def test_branches_side_by_side_have_no_shape_in_common():
    (row,) = drawn(Part(branches, block=Part(layers.Dense), blocks=6)).rows[1].inner
    assert (row.repeats, row.shape) == (6, "")


def test_a_layer_that_parts_share_counts_once():
    made = []

    def first(x):
        made.append(layers.Dense(4))
        return made[0](x)

    def again(x):
        return made[0](x)

    found = drawn((Part(first), Part(again)))
    assert [row.parameters for row in found.rows[1:3]] == [20, 0]


def test_a_task_says_what_it_reads():
    learner = (Part(tapped, name="middle"), Part(layers.Dense, units=2))
    tasks = (Task(Part(regressor), name="age"), Task(Part(classifier, classes=3), "kind", reads="middle"))
    found = drawn(learner, tasks)
    assert [(row.task, row.reads) for row in found.rows[-2:]] == [("age", "encoding"), ("kind", "middle")]
    texts = words(figure_svg(found))
    assert any(text.startswith("reads middle") for text in texts)
    assert {"age", "kind", "tasks"} <= set(texts)


def words(svg):
    root = ET.fromstring(svg)
    return [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_the_drawing_is_one_file_with_every_part_and_number():
    svg = figure_svg(drawn(Part(line, block=Part(block), blocks=3, units=4)))
    texts = words(svg)
    assert "95 parameters" in texts
    assert "block \N{MULTIPLICATION SIGN} 3" in texts
    assert {"stem", "learner", "task"} <= set(texts)
    assert "prefers-color-scheme: dark" in svg
    assert not any(reference in svg for reference in ("href", "url(", "@import", "<script"))


@pytest.mark.parametrize("name", ["<script>", "a & b", '"'])
def test_names_are_text(name):
    assert name in words(figure_svg(drawn((), title=name)))


def test_long_words_end_in_an_ellipsis():
    def with_a_name_that_is_much_too_long_to_fit_into_a_box_of_an_ordinary_width_on_any_page(x):
        return x

    found = drawn(Part(with_a_name_that_is_much_too_long_to_fit_into_a_box_of_an_ordinary_width_on_any_page))
    assert any((text or "").endswith("\N{HORIZONTAL ELLIPSIS}") for text in words(figure_svg(found)))


def test_rows_are_values():
    assert Row("a", "b", (), "1", 2) == Row("a", "b", (), "1", 2)
