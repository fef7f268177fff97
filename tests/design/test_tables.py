import numpy as np

from composable.design import Architecture, Input, Part
from composable.design.series import steps_as_numbers
from composable.design.stems import concatenated, piecewise_linear
from composable.design.tables import ONE_HOT_LIMIT, adapt, prepare
from composable.design.taps import tap
from composable.design.tasks import regressor
from composable.engine.predict import predict


def plain(inputs, *, categories=(), bins=0, train=None, one_hot="plain"):
    """The clean features of `inputs`, fitted on the rows `train`."""
    architecture = Architecture(
        prestem=Part(prepare, categories=categories, bins=bins, one_hot=one_hot),
        stem=Part(concatenated),
        tasks=Part(regressor),
    )
    model = architecture.build({n: Input(v.shape[1:], str(v.dtype)) for n, v in inputs.items()})
    train = slice(None) if train is None else train
    adapt(model, {name: values[train] for name, values in inputs.items()}, categories=categories)
    return predict(tap(model, "embedding"), inputs)[0]


def test_a_missing_number_is_imputed_by_the_median_and_marked():
    numbers = np.array([[1.0], [2.0], [3.0], [np.nan]], "float32")
    found = plain({"numbers": numbers})
    one = np.sqrt(0.9)  # of (x - 2) / 1, smoothly clipped
    np.testing.assert_allclose(found[:, 0], [-one, 0, one, 0], atol=1e-6)
    np.testing.assert_array_equal(found[:, 1], [0, 0, 0, 1])


def test_columns_that_say_nothing_become_zero():
    numbers = np.array([[5.0, np.nan], [5.0, np.nan], [5.0, np.nan]], "float32")
    found = plain({"numbers": numbers}, bins=4)
    np.testing.assert_array_equal(found[:, :2], 0)
    assert np.isfinite(found).all()


def test_unknown_and_unseen_codes_are_all_zeros():
    codes = np.array([[2], [3], [4], [0]], "int32")
    found = plain({"categories": codes}, categories=(6,), train=[0, 1])
    np.testing.assert_array_equal(found.sum(axis=1), [1, 1, 0, 0])  # 4 wasn't among the training rows


def test_scaled_codes_are_centerd_at_their_median_and_clipped_like_numbers():
    codes = np.array([[1]] * 5 + [[2]] * 4 + [[3]] * 1 + [[4], [0]], "int32")
    found = plain({"categories": codes}, categories=(5,), train=np.arange(10), one_hot="scaled")
    one, two = np.sqrt(0.9), 2 / np.sqrt(1 + 4 / 9)  # smoothly clipped 1, between quartiles; 2, of the range
    np.testing.assert_allclose(found[[0, 5, 9], :3], np.diag([one, one, two]), atol=1e-6)
    np.testing.assert_allclose(found[10:], 0, atol=1e-6)  # 4 wasn't among the training rows


def test_a_scaled_code_of_most_rows_is_zero_where_it_is_there():
    codes = np.array([[1]] * 8 + [[2]] * 2, "int32")
    found = plain({"categories": codes}, categories=(4,), one_hot="scaled")
    two = 2 / np.sqrt(1 + 4 / 9)
    np.testing.assert_allclose(found[[0, 9]], [[0, 0, 0], [-two, two, 0]], atol=1e-6)


def test_unknown_codes_of_an_embedded_column_are_all_zeros():
    size = ONE_HOT_LIMIT + 10
    codes = np.array([[2], [3], [size - 1], [0]], "int32")
    found = plain({"categories": codes}, categories=(size,), train=[0, 1])
    assert (found[:2] != 0).all()
    np.testing.assert_array_equal(found[2:], 0)


def test_changing_other_rows_never_changes_what_was_fitted():
    rng = np.random.default_rng(0)
    inputs = {
        "numbers": rng.normal(size=(40, 3)).astype("float32"),
        "categories": rng.integers(0, 5, (40, 2)).astype("int32"),
    }
    train = np.arange(20)
    before = plain(inputs, categories=(5, 5), bins=8, train=train)[train]
    changed = {"numbers": inputs["numbers"].copy(), "categories": inputs["categories"].copy()}
    changed["numbers"][20:] *= 1000
    changed["categories"][20:] = 4
    np.testing.assert_array_equal(plain(changed, categories=(5, 5), bins=8, train=train)[train], before)


def test_the_piecewise_linear_encoding_is_the_papers():
    """With quantile edges 0, 1, 2 the value 1.5 is (1, 0.5): equation 1 of Gorishniy et al. 2022."""
    numbers = np.array([[0.0], [1.0], [2.0], [1.5]], "float32")
    architecture = Architecture(
        prestem=Part(prepare, bins=2), stem=Part(piecewise_linear, width=2), tasks=Part(regressor)
    )
    model = architecture.build({"numbers": (1,)})
    adapt(model, {"numbers": numbers[:3]})
    encoded = predict(tap(model, "bins"), {"numbers": numbers})[0]
    np.testing.assert_allclose(np.clip(encoded[:, 0], 0, 1), [[0, 0], [1, 0], [1, 1], [1, 0.5]], atol=1e-6)


def test_no_bin_is_so_narrow_that_rounding_decides():
    values = np.concatenate([np.linspace(0, 1, 50), np.linspace(0.5, 0.5 + 1e-7, 50)]).astype("float32")
    architecture = Architecture(
        prestem=Part(prepare, bins=16), stem=Part(piecewise_linear, width=2), tasks=Part(regressor)
    )
    model = architecture.build({"numbers": (1,)})
    adapt(model, {"numbers": values[:, None]})
    kernel, _ = model.get_layer("bins").get_weights()
    assert kernel.max() <= 1e3


def test_steps_of_series_are_numbers_beside_the_others():
    rng = np.random.default_rng(0)
    series = rng.normal(size=(30, 4, 2)).astype("float32")
    series[3, 1, 0] = np.nan
    numbers = rng.normal(size=(30, 3)).astype("float32")
    joined = np.concatenate([numbers, series.reshape(30, -1)], axis=1)
    expected = plain({"numbers": joined})
    architecture = Architecture(
        prestem=(Part(steps_as_numbers), Part(prepare, bins=0)),
        stem=Part(concatenated),
        tasks=Part(regressor),
    )
    model = architecture.build({"numbers": Input((3,)), "series": Input((4, 2))})
    inputs = {"numbers": numbers, "series": series}
    adapt(model, inputs)
    np.testing.assert_allclose(predict(tap(model, "embedding"), inputs)[0], expected, atol=1e-6)
