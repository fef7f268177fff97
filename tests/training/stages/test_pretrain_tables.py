"""Pretext tasks for tables: which cells are changed, what is asked, how it is scored."""

import numpy as np
import pytest
from keras import ops

from composable.core.errors import DataError
from composable.design import Input
from composable.design.taps import tap
from composable.training.stages.pretrain.masking import (
    column_cross_entropy,
    columns_of,
    known_squared_error,
    masking,
    number_denoising,
    swapped,
)
from composable.training.stages.pretrain.pretext import Unlabeled
from composable.zoo.mlp import mlp
from composable.zoo.tabm import tabm_mini

SIZES = (5, 90)


def table(rows=300, epochs=4):
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(rows, 3)).astype("float32")
    numbers[:, 1] = 1e6 * np.exp(3 * numbers[:, 1])
    numbers[::7, 2] = np.nan
    categories = np.stack([rng.integers(1, size, rows) for size in SIZES], axis=1).astype("int32")
    ngrams = rng.integers(0, 9, (rows, 2)).astype("int32")
    inputs = {"numbers": numbers, "categories": categories, "ngrams": ngrams}
    return Unlabeled(inputs, np.arange(rows - 50), np.arange(rows - 50, rows), epochs, 0)


def network(family):
    shapes = {"numbers": Input((3,)), "categories": Input((2,), "int32"), "ngrams": Input((2,), "int32")}
    return tap(family(categories=SIZES).build(shapes), "logits")


def test_swapped_cells_come_from_the_same_column_of_a_training_row():
    pool = np.arange(1000 * 4).reshape(1000, 4)
    donors = np.arange(100, 600)
    found, mask = swapped(pool[:50], pool, donors, 0.3, np.random.default_rng(0))
    assert 0.2 < mask.mean() < 0.4
    np.testing.assert_array_equal(found[~mask], pool[:50][~mask])
    assert (found % 4 == np.arange(4)).all()
    assert set((found[mask] // 4).tolist()) <= set(donors.tolist())


def test_only_cells_that_hold_something_else_count_as_masked():
    same = np.ones((50, 2))
    same[:, 1] = np.nan
    found, mask = swapped(same, same, np.arange(50), 0.9, np.random.default_rng(0))
    np.testing.assert_array_equal(found, same)
    assert not mask.any()


def test_masking_asks_for_the_mask_and_for_what_was_there():
    x = table()
    made = masking(x, share=0.3)
    mask, numbers, classes = made.rows.targets
    clean = x.inputs["numbers"][x.held_out]
    shown = made.rows.inputs["numbers"][made.held_out]
    changed = ~((shown == clean) | (np.isnan(shown) & np.isnan(clean)))
    np.testing.assert_array_equal(mask[made.held_out, :3] == 1, changed)
    np.testing.assert_array_equal(numbers[made.held_out, :, 1] == 1, ~np.isnan(clean))
    known = ~np.isnan(clean[:, 2])
    order = np.argsort(clean[known, 2])
    assert (np.diff(numbers[made.held_out][known, 2, 0][order]) >= 0).all()  # ranks of the clean values
    assert np.abs(numbers[made.train][..., 0]).max() < 1.8  # whatever outliers there are
    assert classes.shape == (len(mask), 2)
    np.testing.assert_array_equal(made.rows.inputs["ngrams"][made.held_out], x.inputs["ngrams"][x.held_out])


def test_ranks_have_mean_zero_and_variance_one_in_training_rows():
    x = table(rows=2000)
    found = columns_of(x).number_targets({n: v[x.train] for n, v in x.inputs.items()})
    np.testing.assert_allclose(found[:, :2, 0].mean(axis=0), 0.0, atol=1e-4)
    np.testing.assert_allclose(found[:, :2, 0].std(axis=0), 1.0, atol=1e-2)


def test_rare_and_unknown_codes_share_a_class():
    x = table()
    columns = columns_of(x)
    assert columns.sizes == (5, 64)
    counts = np.bincount(x.inputs["categories"][x.train, 1], minlength=90)
    found = columns.category_targets({"categories": np.array([[0, 0], [4, int(counts.argmax())], [99, 99]])})
    assert found[[0, 2]].tolist() == [[0, 0], [0, 0]]
    assert found[1, 1] == 1  # the most frequent one
    assert found[1, 0] > 0


@pytest.mark.parametrize("family", [mlp, tabm_mini])
@pytest.mark.parametrize("task", [masking, number_denoising])
def test_heads_and_goals_fit_each_other_with_and_without_members(family, task):
    made = task(table())
    model = made.attach(network(family))
    inputs = {name: values[:4] for name, values in made.rows.inputs.items()}
    outputs = model(inputs)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    for goal, output, target in zip(made.goals, outputs, made.rows.targets, strict=True):
        loss = ops.convert_to_numpy(goal.loss(target[:4], output, 0.0))
        assert loss.shape == (4,)
        assert np.isfinite(loss).all()
    figure = made.score([ops.convert_to_numpy(output) for output in outputs], np.arange(4))
    assert np.isfinite(figure)


def test_the_error_of_numbers_is_that_of_known_cells_alone():
    y = np.array([[[1.0, 1.0], [9.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]], "float32")
    outputs = np.array([[3.0, 100.0], [5.0, 5.0]], "float32")
    np.testing.assert_allclose(known_squared_error(y, outputs), [4.0, 0.0])
    members = np.stack([outputs, outputs + np.array([[2.0, 7.0]], "float32")], axis=1)
    np.testing.assert_allclose(known_squared_error(y, members), [(4 + 16) / 2, 0.0])


def test_the_cross_entropy_of_codes_is_the_mean_over_columns():
    y = np.array([[1, 2]], "int32")
    logits = np.log(np.array([[0.25, 0.75, 0.2, 0.3, 0.5]], "float32"))
    expected = -(np.log(0.75) + np.log(0.5)) / 2
    np.testing.assert_allclose(column_cross_entropy((2, 3), y, logits), [expected], rtol=1e-5)
    members = np.stack([logits, logits], axis=1)
    np.testing.assert_allclose(column_cross_entropy((2, 3), y, members), [expected], rtol=1e-5)


def test_noise_follows_the_spread_of_each_column_and_leaves_holes():
    x = table(rows=3000)
    made = number_denoising(x, deviation=0.5)
    clean, shown = x.inputs["numbers"][x.held_out], made.rows.inputs["numbers"][made.held_out]
    np.testing.assert_array_equal(np.isnan(shown), np.isnan(clean))
    added = np.nanstd(shown - clean, axis=0)
    np.testing.assert_allclose(added, 0.5 * np.nanstd(x.inputs["numbers"][x.train], axis=0), rtol=0.4)
    np.testing.assert_array_equal(
        made.rows.inputs["categories"][made.held_out], x.inputs["categories"][x.held_out]
    )


def test_what_isnt_a_table_is_refused():
    images = Unlabeled({"x": np.zeros((4, 5, 5, 1), "float32")}, np.arange(3), np.arange(3, 4), 1, 0)
    codes = Unlabeled({"categories": np.ones((4, 2), "int32")}, np.arange(3), np.arange(3, 4), 1, 0)
    with pytest.raises(DataError):
        masking(images)
    with pytest.raises(DataError):
        number_denoising(codes)
    assert len(masking(codes).goals) == 2
