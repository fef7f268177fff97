"""Drawing, mutating, crossing and grafting, over the search spaces of the whole zoo."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from composable import cross, draw, graft, mutate
from composable.core.errors import ConfigError
from composable.design import Architecture, Between, Choice, Part, Task
from composable.design.choice import exact
from composable.design.evolve import decisions
from composable.design.learners import group
from composable.design.openings import children
from composable.design.tasks import classifier, flattened, regressor
from composable.zoo import catalog
from composable.zoo.resnet import basic, bottleneck, resnet

NAMES = sorted(catalog.FAMILIES)
spaces = st.sampled_from(NAMES).map(catalog.search_space)
seeds = st.integers(0, 2**32)
some = settings(max_examples=50)

WIDTH = Choice((4, 8), name="width")
SPACE = Architecture(
    learner=(
        Part(
            group, block=Choice((basic, Part(bottleneck, expansion=Choice((2, 4))))), filters=WIDTH, blocks=1
        ),
        Part(group, block=basic, filters=WIDTH, blocks=Between(1, 9)),
    ),
    tasks=Part(classifier, classes=3),
)


def differing(space, one, other):
    before, after = decisions(space, one), decisions(space, other)
    return [path for path in before if path in after and exact(before[path]) != exact(after[path])]


@some
@given(spaces, seeds)
def test_a_draw_is_closed_repeatable_and_comes_back(space, seed):
    before = space.to_json()
    drawn = draw(space, seed=seed)
    assert not drawn.openings()
    assert draw(space, seed=seed) == drawn
    assert Architecture.from_json(drawn.to_json()) == drawn
    assert space.decided(decisions(space, drawn)) == drawn
    assert space.to_json() == before


@some
@given(spaces, seeds, seeds)
def test_a_space_and_architectures_that_were_read_behave_as_those_that_were_written(space, first, second):
    """JSON sorts its keys, so metaparameters come back in another order."""
    read = Architecture.from_json(space.to_json())
    mother, father = draw(space, seed=first), draw(space, seed=second)
    again = Architecture.from_json(mother.to_json())
    assert draw(read, seed=first) == mother
    assert decisions(read, again) == decisions(space, mother)
    assert mutate(read, again, seed=second) == mutate(space, mother, seed=second)
    assert cross(read, again, father, seed=first) == cross(space, mother, father, seed=first)


@some
@given(spaces, seeds, seeds)
def test_a_mutation_is_one_decision_made_anew(space, first, second):
    parent = draw(space, seed=first)
    before = parent.to_json()
    child = mutate(space, parent, seed=second)
    assert len(differing(space, parent, child)) == 1
    assert child != parent
    assert mutate(space, parent, seed=second) == child
    assert parent.to_json() == before


@some
@given(spaces, seeds, seeds, seeds)
def test_a_child_has_every_decision_from_one_of_the_two(space, first, second, third):
    mother, father = draw(space, seed=first), draw(space, seed=second)
    texts = mother.to_json(), father.to_json()
    child = cross(space, mother, father, seed=third)
    made = decisions(space, mother), decisions(space, father)
    for path, value in decisions(space, child).items():
        assert any(path in each and exact(each[path]) == exact(value) for each in made)
    assert cross(space, mother, father, seed=third) == child
    assert cross(space, mother, mother, seed=third) == mother
    assert (mother.to_json(), father.to_json()) == texts


@pytest.mark.parametrize("name", NAMES)
def test_every_option_can_be_taken(name):
    space = catalog.search_space(name)
    for path, opening in space.openings().items():
        offered = opening.options if isinstance(opening, Choice) else (opening.low, opening.high)
        for option in offered:
            taken = (decisions(space, led(space, path, option, seed)) for seed in range(50))
            assert any(path in each and exact(each[path]) == exact(option) for each in taken), (path, option)


def led(space, path, option, seed):
    """Drawn, but with the option at the path, and above it the options in which the path lies."""
    random = np.random.default_rng(seed)

    def choose(at, opening):
        if at == path:
            return option
        above = [n for n in range(len(getattr(opening, "options", ()))) if path.startswith(f"{at}[{n}]")]
        return opening.options[above[0]] if above else opening.draw(random)

    return space.fill(choose)


def test_what_shares_a_name_is_decided_once():
    for seed in range(8):
        drawn = draw(SPACE, seed=seed)
        for architecture in (drawn, mutate(SPACE, drawn, seed=seed)):
            first, second = architecture.learner
            assert first.metaparameters["filters"] == second.metaparameters["filters"]


def test_decisions_are_by_path_and_lie_on_the_way_that_was_taken():
    bottled = SPACE.decided({"learner.0.block": SPACE.openings()["learner.0.block"].options[1]})
    drawn = bottled.fill(lambda path, opening: 4 if path != "learner.1.blocks" else 7)
    assert decisions(SPACE, drawn) == {
        "learner.0.block": Part(bottleneck, expansion=Choice((2, 4))),
        "learner.0.block[1].expansion": 4,
        "width": 4,
        "learner.1.blocks": 7,
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda drawn: graft(drawn, "learner.1.filters", 5),
        lambda drawn: graft(drawn, "learner.1.blocks", 10),
        lambda drawn: graft(drawn, "learner.1.filters", 12 - drawn.learner[0].metaparameters["filters"]),
        lambda drawn: graft(drawn, "learner.1.block", flattened),
        lambda drawn: graft(drawn, "learner.1.strides", 1),
        lambda drawn: replace(drawn, learner=drawn.learner[:1]),
        lambda drawn: drawn.with_tasks(Part(regressor)),
        lambda drawn: drawn.with_tasks(Task(drawn.tasks[0].part, "other")),
        lambda drawn: SPACE,
    ],
    ids=["value", "beyond", "not shared", "block", "added", "shorter", "task", "task's name", "open"],
)
def test_an_architecture_from_elsewhere_has_no_decisions(change):
    strange = change(draw(SPACE, seed=0))
    for use in (
        lambda: decisions(SPACE, strange),
        lambda: mutate(SPACE, strange, seed=0),
        lambda: cross(SPACE, draw(SPACE, seed=0), strange, seed=0),
    ):
        with pytest.raises(ConfigError, match="can be drawn from the space"):
            use()


def test_where_two_options_fit_the_one_that_agrees_with_the_rest_is_found():
    """The first group could be either option; the name, met later, decides."""
    wide, narrow = Choice((4, 8), name="a"), Choice((4, 2), name="b")
    space = Architecture(
        learner=(
            Choice(
                (
                    Part(group, block=basic, filters=wide, blocks=1),
                    Part(group, block=basic, filters=narrow, blocks=1),
                )
            ),
            Part(group, block=basic, filters=wide, blocks=1),
        )
    )
    architecture = graft(space.fill(lambda path, opening: opening.options[0]), "learner.1.filters", 8)
    assert decisions(space, architecture)["b"] == 4


def test_many_groups_are_no_deep_recursion():
    space = Architecture(
        learner=tuple(Part(group, block=basic, filters=Choice((1, 2)), blocks=1) for _ in range(900))
    )
    drawn = draw(space, seed=0)
    assert len(decisions(space, drawn)) == 900
    assert len(differing(space, drawn, mutate(space, drawn, seed=1, changes=5))) == 5


def test_as_many_changes_as_there_are_and_none_where_nothing_is_open():
    drawn = draw(SPACE, seed=0)
    assert mutate(SPACE, drawn, seed=0, changes=0) == drawn
    assert set(differing(SPACE, drawn, mutate(SPACE, drawn, seed=0, changes=99))) >= {
        "width",
        "learner.1.blocks",
    }
    with pytest.raises(ConfigError, match="A mutation changes a decision"):
        mutate(drawn, drawn, seed=0)
    with pytest.raises(ConfigError, match="A mutation changes a decision"):
        mutate(Architecture(stem=Choice((flattened, flattened))), Architecture(stem=flattened), seed=0)


GRAFTED = resnet(depth=18, filters=(4, 8), blocks=(1, 1), classes=3)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("stem", basic), ("stem.1", ()), ("prestem", (flattened,)), ("learner", Part(basic, filters=3)),
        ("learner.1", (Part(basic, filters=3), Part(basic, filters=4))), ("learner.1.block", bottleneck),
        ("learner.1.filters", 5), ("learner.0.block.use_bias", True), ("tasks.0", Part(regressor)),
        ("tasks.0.pool", flattened), ("learner.1.filters", Choice((3, 4))),
    ],
)  # fmt: skip
def test_a_graft_stands_where_it_was_put_and_nothing_else_changes(path, part):
    if path == "stem":
        part = Part(basic, filters=4)
    before = GRAFTED.to_json()
    found = graft(GRAFTED, path, part)
    assert found != GRAFTED
    assert GRAFTED.to_json() == before
    inside = found.to_parts()
    for step in path.split("."):
        inside = dict(children(inside))[step]
    assert (
        inside == (part if not callable(part) or isinstance(part, Part) else Part(part)) or path == "prestem"
    )
    assert Architecture.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    "path",
    [
        "",
        "head",
        "learner.2",
        "learner.-1",
        "learner.1.blok",
        "stem.0.filters.0",
        "tasks",
        "tasks.1",
        "learner.",
        ".",
    ],
)
def test_a_graft_elsewhere_names_the_paths_there_are(path):
    with pytest.raises(
        ConfigError, match=r"(?s)Nothing stands at.*learner\.0, learner\.0\.block, learner\.1"
    ):
        graft(GRAFTED, path, basic)


def test_a_graft_that_the_place_doesn_t_take_is_refused():
    with pytest.raises(ConfigError, match="can't take this filters"):
        graft(GRAFTED, "learner.1.filters", 0)
    with pytest.raises(ConfigError, match="needs every metaparameter"):
        graft(GRAFTED, "learner.1", group)
    with pytest.raises(ConfigError, match="consists of parts"):
        graft(GRAFTED, "stem", 3)
