"""D18, D19: columns that give the target away are found, and honest ones are left alone."""

from __future__ import annotations

import numpy as np
import pytest

from composable.core.errors import DataError
from composable.data.encoding import Encoding
from composable.data.kinds.category import CategoryBlock
from composable.data.kinds.number import NumberBlock
from composable.problem.leaks import check_leaks
from composable.problem.problem import Head, Problem

ROWS = 400
random = np.random.default_rng(0)
AMOUNTS = random.lognormal(size=ROWS)
TWO = (random.random(ROWS) < 0.4).astype(float)
MANY = random.integers(0, 5, ROWS).astype(float)
TARGETS = {
    "regression": (Head("y", "regression", ("y",)), AMOUNTS),
    "binary": (Head("y", "binary", ("y",), ("no", "yes")), TWO),
    "multiclass": (Head("y", "multiclass", ("y",), tuple("abcde")), MANY),
}
KINDS = pytest.mark.parametrize("kind", TARGETS)
NOISE = random.normal(size=ROWS)


def notices_of(kind, *, number=None, category=None, allow=True, y=None, head=None, rows=ROWS):
    """What is said of one column `x` beside an honest one."""
    default_head, default_y = TARGETS[kind]
    head, y = head or default_head, default_y if y is None else y
    numbers, inputs = [NumberBlock("honest")], {"numbers": random.normal(size=(len(y), 1))}
    if number is not None:
        numbers.append(NumberBlock("x"))
        inputs["numbers"] = np.column_stack([inputs["numbers"], number])
    tables = ()
    if category is not None:
        inputs["categories"] = np.asarray(category, "int32")[:, None]
        tables = (CategoryBlock("x", tuple(map(str, range(int(max(category))))), {}),)
    encoding = Encoding((*numbers, *tables))
    targets = (np.asarray(y, float).reshape(len(y), -1),)
    return list(
        check_leaks(encoding, Problem((head,), "rmse"), inputs, targets, np.arange(rows), allow=allow)
    )


def assert_flagged(notices):
    assert [notice.column for notice in notices] == ["x"]
    assert notices[0].level == "warning"
    assert "--drop 'x'" in notices[0].remedy


@KINDS
def test_a_copy_of_the_target_is_refused_with_the_flags(kind):
    with pytest.raises(DataError) as refused:
        notices_of(kind, number=TARGETS[kind][1], allow=False)
    assert "'x'" in refused.value.received
    assert "score of 1.0" in refused.value.received
    assert "--drop 'x'" in refused.value.remedy
    assert "--allow-leaks" in refused.value.remedy


@KINDS
def test_who_allows_leaks_is_only_warned(kind):
    assert_flagged(notices_of(kind, number=TARGETS[kind][1]))


@KINDS
@pytest.mark.parametrize("transform", [np.exp, np.cbrt, lambda y: -(y**3)], ids=["exp", "root", "falling"])
def test_a_monotone_transform_is_refused(kind, transform):
    with pytest.raises(DataError, match="give the target away"):
        notices_of(kind, number=transform(TARGETS[kind][1]), allow=False)


@KINDS
def test_the_target_with_some_noise_is_flagged(kind):
    y = TARGETS[kind][1]
    noise = {"regression": 0.05 * y.std(), "binary": 0.15, "multiclass": 0.12}[kind]
    assert_flagged(notices_of(kind, number=y + noise * NOISE))


@KINDS
def test_a_category_that_maps_to_the_label_is_flagged(kind):
    y = TARGETS[kind][1]
    code = (
        2 + np.floor(np.argsort(np.argsort(y)) / ROWS * 40)
        if kind == "regression"
        else 2 + y + 5 * (np.arange(ROWS) % 8)
    )
    assert_flagged(notices_of(kind, category=code))


@pytest.mark.parametrize("kind", ["binary", "multiclass"])
def test_a_value_that_is_only_there_for_one_class_is_flagged(kind):
    y = TARGETS[kind][1]
    if kind == "multiclass":
        y = np.where(y == 0, 0.0, 1.0)
    head = Head("y", "binary", ("y",), ("no", "yes"))
    notices = notices_of("binary", number=np.where(y == 1, NOISE, np.nan), y=y, head=head)
    assert_flagged(notices)
    assert "whether it is missing" in notices[0].text


@KINDS
@pytest.mark.parametrize("strength", [0.0, 0.3])
def test_an_honest_strong_column_is_left_alone(kind, strength):
    y = TARGETS[kind][1]
    number = strength * (y - y.mean()) / y.std() + (1 - strength) * NOISE
    assert notices_of(kind, number=number, allow=False) == []


def test_a_correlation_of_ninety_seven_percent_is_left_alone():
    number = AMOUNTS + 0.3 * AMOUNTS.std() * NOISE
    assert 0.8 < np.corrcoef(number, AMOUNTS)[0, 1] ** 2 < 0.98
    assert notices_of("regression", number=number, allow=False) == []


@KINDS
def test_categories_that_say_nothing_are_left_alone(kind):
    near_constant = np.full(ROWS, 2)
    near_constant[:3] = 3
    assert notices_of(kind, category=near_constant, allow=False) == []
    assert (
        notices_of(kind, category=2 + np.arange(ROWS) % 200, allow=False) == []
    )  # two rows for each of 200 codes


@KINDS
def test_few_rows_prove_nothing(kind):
    assert notices_of(kind, number=TARGETS[kind][1], allow=False, rows=20) == []


def test_three_positive_rows_prove_nothing():
    """Three of fifty rows come first by one of many columns by chance."""
    y = np.zeros(50)
    y[:3] = 1
    assert notices_of("binary", y=y, number=y + 0.1 * NOISE[:50], allow=False, rows=50) == []


def test_a_mostly_empty_column_is_judged_by_its_absence_alone():
    number = np.where(np.arange(ROWS) % 3 == 0, AMOUNTS, np.nan)
    assert notices_of("regression", number=number, allow=False) == []


def test_each_of_several_labels_is_looked_at():
    head = Head("a+b", "multilabel", ("a", "b"), (0, 1))
    y = np.column_stack([TWO, 1.0 - (MANY > 2)])
    notices = notices_of("binary", head=head, y=y, number=y[:, 1])
    assert_flagged(notices)
    assert "tells 'b'" in notices[0].text


def test_the_worst_leak_is_named_first():
    inputs = {"numbers": np.column_stack([TWO + 0.28 * NOISE, TWO])}
    encoding = Encoding((NumberBlock("noisy"), NumberBlock("copy")))
    problem = Problem((TARGETS["binary"][0],), "roc_auc")
    found = check_leaks(encoding, problem, inputs, (TWO[:, None],), np.arange(ROWS), allow=True)
    assert [notice.column for notice in found] == ["copy", "noisy"]
