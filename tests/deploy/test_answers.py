"""Labels come back as they were (row D16), probabilities under readable names."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from composable.deploy.answers import answers
from composable.problem.problem import Head, Problem


def _answers(*pairs: tuple[Head, Any]) -> pd.DataFrame:
    heads = tuple(head for head, _ in pairs)
    return answers([np.array(output, "float32") for _, output in pairs], Problem(heads, "rmse"))


def test_a_number() -> None:
    frame = _answers((Head("price", "regression", ("price",)), [[1.5], [2.5]]))
    assert frame.to_dict("list") == {"prediction": [1.5, 2.5]}


@pytest.mark.parametrize("labels", [("no", "yes"), (0, 1), (False, True), (0.0, 1.0), (1, "1"), (-1, 1)])
def test_two_classes_keep_their_type(labels: tuple[Any, Any]) -> None:
    frame = _answers((Head("y", "binary", ("y",), labels), [[0.25], [0.5]]))
    found = frame["prediction"].tolist()
    assert found == list(labels)
    assert [type(value) for value in found] == [type(label) for label in labels]
    assert len(set(frame.columns)) == 3
    np.testing.assert_allclose(frame.iloc[:, 1:], [[0.75, 0.25], [0.5, 0.5]])


def test_many_classes() -> None:
    frame = _answers((Head("y", "multiclass", ("y",), ("a", "b", "c")), [[0.2, 0.5, 0.3]]))
    assert frame.columns.tolist() == ["prediction", "p_a", "p_b", "p_c"]
    assert frame["prediction"].tolist() == ["b"]


def test_several_labels_at_once() -> None:
    frame = _answers((Head("m, n", "multilabel", ("m", "n"), (0, 1)), [[0.9, 0.1]]))
    assert frame.columns.tolist() == ["prediction_m", "p_m_0", "p_m_1", "prediction_n", "p_n_0", "p_n_1"]
    assert frame[["prediction_m", "prediction_n"]].to_numpy().tolist() == [[1, 0]]


def test_several_heads() -> None:
    frame = _answers(
        (Head("price", "regression", ("price",)), [[3.0]]), (Head("y", "binary", ("y",), ("n", "j")), [[0.9]])
    )
    assert frame.columns.tolist() == ["prediction_price", "prediction_y", "p_y_n", "p_y_j"]


def test_no_rows() -> None:
    frame = _answers((Head("y", "binary", ("y",), (0, 1)), np.zeros((0, 1))))
    assert frame.shape == (0, 3)
    assert frame["prediction"].dtype == "int64"
