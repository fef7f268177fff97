"""The scikit-learn estimators: in scikit-learn's own checks, and in the tools people put them into."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import composable
from composable import Classifier, Regressor
from composable.auto.estimators import NOT_OF_ESTIMATORS
from composable.auto.option import fields_of
from composable.auto.options import FitOptions

BUDGET = {"max_trials": 1, "max_epochs": 2}
LONGER = {"max_trials": 1, "max_epochs": 40}  # scikit-learn wants to see something learned


@pytest.fixture(scope="module")
def rows(make_table):
    return make_table()


@pytest.fixture(scope="module")
def classifier(rows):
    return Classifier(**BUDGET).fit(rows[["size", "make", "sold on"]], rows["class"])


def test_frames_with_text_dates_and_gaps_are_taken_as_they_are(classifier, rows):
    assert classifier.feature_names_in_.tolist() == ["size", "make", "sold on"]
    assert classifier.n_features_in_ == 3
    assert set(classifier.predict(rows[["size", "make", "sold on"]])) <= {"low", "mid", "high"}


def test_the_columns_of_the_probabilities_follow_the_classes(classifier, rows):
    features = rows[["size", "make", "sold on"]]
    p = classifier.predict_proba(features)
    assert classifier.classes_.tolist() == ["high", "low", "mid"]
    assert p.shape == (80, 3)
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)
    assert (classifier.classes_[p.argmax(axis=1)] == classifier.predict(features)).all()


def test_other_columns_than_those_trained_on_are_refused(classifier, rows):
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(rows[["make", "size", "sold on"]].rename(columns={"make": "maker"}))


def test_what_is_learned_shows_in_the_right_column(rows):
    found = Classifier(max_trials=1, max_epochs=30).fit(rows[["size"]], rows["fast"])
    assert found.classes_.tolist() == ["no", "yes"]
    assert found.score(rows[["size"]], rows["fast"]) > 0.75


def test_the_model_is_an_ordinary_keras_model(classifier):
    import keras

    assert isinstance(classifier.model_, keras.Model)


@pytest.mark.parametrize(
    "classes",
    [[True, False], [0.0, 1.0], [3, 7], ["no", "yes"]],
    ids=["bools", "floats", "integers", "texts"],
)
def test_classes_come_back_with_their_own_type(rows, classes):
    y = np.array(classes)[rows["big"]]
    found = Classifier(max_trials=1, max_epochs=1).fit(rows[["size"]], y)
    assert found.predict(rows[["size"]]).dtype == y.dtype
    assert set(found.predict(rows[["size"]])) <= set(y)


@pytest.mark.parametrize(
    ("y", "message"),
    [(np.zeros(80), "1 class"), (np.arange(79) % 2, "inconsistent numbers of samples"), (None, "y is None")],
    ids=["constant", "too few", "none"],
)
def test_wrong_targets_are_value_errors(rows, y, message):
    with pytest.raises(ValueError, match=message):
        Classifier(**BUDGET).fit(rows[["size"]], y)


def test_wrong_options_are_value_errors_that_name_the_estimator(rows):
    with pytest.raises(ValueError, match="Regressor: max_trials must be 1 or more"):
        Regressor(max_trials=0).fit(rows[["size"]], rows["price"])


def test_what_is_not_fitted_says_so(rows):
    from sklearn.exceptions import NotFittedError

    with pytest.raises(NotFittedError):
        Regressor().predict(rows[["size"]])
    with pytest.raises(NotFittedError):
        _ = Regressor().model_


def test_a_run_folder_of_ones_own_is_kept(rows, tmp_path):
    Regressor(**BUDGET, out=tmp_path / "run").fit(rows[["size", "make"]], rows["price"])
    assert composable.Run(tmp_path / "run").facts["status"] == "complete"


def test_a_feature_may_be_called_target(rows):
    features = rows[["size", "make"]].rename(columns={"make": "target"})
    assert len(Regressor(**BUDGET).fit(features, rows["price"]).predict(features)) == 80


def test_weights_and_the_persons_data_are_left_as_they_were(rows):
    features, y, weights = rows[["size", "make"]].copy(), rows["price"].copy(), np.linspace(0.0, 1, 80)
    Regressor(max_trials=1, max_epochs=1).fit(features, y, sample_weight=weights)
    pd.testing.assert_frame_equal(features, rows[["size", "make"]])
    assert np.array_equal(weights, np.linspace(0.0, 1, 80))


def test_a_class_without_weight_has_no_probability(rows):
    weights = (rows["class"] != "low").astype(float)
    found = Classifier(max_trials=1, max_epochs=1).fit(rows[["size"]], rows["class"], sample_weight=weights)
    p = found.predict_proba(rows[["size"]])
    assert found.classes_.tolist() == ["high", "low", "mid"]
    assert (p[:, 1] == 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("estimator", [Classifier, Regressor])
def test_an_estimator_states_every_option_of_a_fit_that_makes_sense_for_arrays(estimator):
    declared = {field.name: field for field in fields_of(FitOptions)}
    stated = estimator().get_params()
    assert set(stated) - {"out", "random_state", "verbose"} == set(declared) - set(NOT_OF_ESTIMATORS)
    assert all(
        stated[name] == declared[name].default for name in set(stated) & set(declared) - {"max_trials"}
    )
    assert all(declared[name].option.help in estimator.__doc__ for name in set(stated) & set(declared))


def test_several_numbers_are_predicted_at_once(rows):
    y = np.stack([rows["price"], -2 * rows["price"] + 1], axis=1)
    found = Regressor(max_trials=1, max_epochs=5).fit(rows[["size", "make"]], y)
    assert found.predict(rows[["size", "make"]]).shape == (80, 2)
    assert np.isfinite(found.score(rows[["size", "make"]], y))


def test_rows_that_lack_some_of_several_numbers_train_on_the_others(rows):
    y = np.stack([rows["price"], -rows["price"]], axis=1).astype(float)
    y[::3, 0], y[1::3, 1] = np.nan, np.nan
    answers = Regressor(**BUDGET).fit(rows[["size"]], y).predict(rows[["size"]])
    assert answers.shape == y.shape
    assert np.isfinite(answers).all()
    with pytest.raises(ValueError, match="NaN"):
        Regressor(**BUDGET).fit(rows[["size"]], y[:, 0])


def test_several_labels_are_predicted_at_once(rows):
    y = rows[["red", "big"]].to_numpy()
    found = Classifier(max_trials=1, max_epochs=5).fit(rows[["size", "make"]], y)
    p = found.predict_proba(rows[["size", "make"]])
    assert p.shape == (80, 2)
    np.testing.assert_array_equal(found.predict(rows[["size", "make"]]), p >= 0.5)
    assert 0 <= found.score(rows[["size", "make"]], y) <= 1


def test_several_targets_of_classes_are_predicted_at_once(rows):
    y = rows[["fast", "class"]].to_numpy()
    found = Classifier(max_trials=1, max_epochs=5).fit(rows[["size", "make"]], y)
    fast, classes = found.predict_proba(rows[["size", "make"]])
    assert (fast.shape, classes.shape) == ((80, 2), (80, 3))
    predicted = found.predict(rows[["size", "make"]])
    assert set(predicted[:, 0]) <= {"no", "yes"}
    assert set(predicted[:, 1]) <= {"low", "mid", "high"}


@pytest.mark.parametrize("weight", ["balanced", {"no": 1.0, "yes": 50.0}])
def test_classes_may_be_weighed(rows, weight):
    few = rows[(rows["fast"] == "no") | (rows.index % 4 == 0)]
    plain, weighed = (
        Classifier(max_trials=1, max_epochs=20, class_weight=each).fit(few[["size", "make"]], few["fast"])
        for each in (None, weight)
    )
    p, q = (each.predict_proba(few[["size", "make"]])[:, 1].mean() for each in (plain, weighed))
    assert q > p


def test_an_estimator_is_silent_unless_it_is_asked_to_show_its_progress(rows, capfd):
    Regressor(**BUDGET).fit(rows[["size", "make"]], rows["price"])
    assert capfd.readouterr() == ("", "")
    Regressor(**BUDGET, verbose=2).fit(rows[["size", "make"]], rows["price"])
    assert "Read 80 rows, 3 columns." in capfd.readouterr().err


def test_in_a_pipeline_and_in_cross_validation(rows):
    pipeline = make_pipeline(
        FunctionTransformer(lambda f: f[["size", "make"]]), Regressor(max_trials=1, max_epochs=1)
    )
    assert cross_val_score(pipeline, rows, rows["price"], cv=2).shape == (2,)


@pytest.mark.slow
def test_in_a_grid_search(rows):
    search = GridSearchCV(Classifier(max_trials=1), {"max_epochs": [1]}, cv=2, refit=False)
    search.fit(rows[["size", "make"]], rows["fast"])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_clone_is_unfitted_with_the_same_options(classifier):
    assert clone(classifier).get_params() == classifier.get_params()
    assert not hasattr(clone(classifier), "bundle_")


def expected_failures(estimator):
    """What scikit-learn asks and we don't do, with the reason."""
    return {
        "check_sample_weight_equivalence_on_dense_data": "a weight counts in the loss alone",
    }


@pytest.mark.slow
@parametrize_with_checks(
    [Classifier(**LONGER), Regressor(**LONGER)], expected_failed_checks=expected_failures
)
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)
