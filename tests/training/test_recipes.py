import numpy as np
import pytest

from composable.design import Input, Part, Task
from composable.design.tasks import binary_classifier, classifier, regressor
from composable.engine.optimizer import assigned
from composable.engine.settings import curves
from composable.problem.problem import Head, Problem
from composable.training import recipes
from composable.zoo import realmlp as zoo

KINDS = {
    "regression": (Part(regressor), Head("y", "regression", ("y",)), "rmse"),
    "binary": (Part(binary_classifier), Head("y", "binary", ("y",), ("no", "yes")), "roc_auc"),
    "multiclass": (Part(classifier, classes=3), Head("y", "multiclass", ("y",), ("a", "b", "c")), "log_loss"),
}


def problem(*kinds, metric=None):
    return Problem(tuple(KINDS[kind][1] for kind in kinds), metric or KINDS[kinds[0]][2])


def multipliers(recipe, maker, *kinds):
    """What the rate and the weight decay of each trained variable are multiplied by, by its path."""
    tasks = tuple(Task(KINDS[kind][0], f"head_{n}") for n, kind in enumerate(kinds))
    inputs = {"numbers": Input((3,)), "categories": Input((2,), "int32")}
    model = maker(tasks=tasks, categories=(4, 20), units=(8,)).build(inputs)
    optimizer = recipe(problem(*kinds)).optimizer
    places = assigned(optimizer, model.trainable_variables)
    found = {}
    for variable, place in zip(model.trainable_variables, places, strict=True):
        group = optimizer.groups[place] if place < len(optimizer.groups) else None
        found[variable.path] = (group.rate, group.rate * group.decay) if group else (1.0, 1.0)
    return found


def test_every_variable_of_realmlp_has_the_rate_and_the_decay_of_the_paper():
    found = multipliers(recipes.realmlp, zoo.realmlp, "regression")
    assert found == {
        "embedding_vectors/embeddings": (1.0, 1.0),
        **dict.fromkeys(
            (f"periodic_{layer}/{kind}" for layer in ("angles", "linear") for kind in ("kernel", "bias")),
            (0.1, pytest.approx(0.01)),
        ),
        "diagonal_scale/kernel": (6.0, 36.0),
        "hidden_0_dense/kernel": (1.0, 1.0),
        "hidden_0_dense/bias": (0.1, 0.0),
        "hidden_0_slope/kernel": (0.1, pytest.approx(0.01)),
        "head_0_logits/kernel": (1.0, 1.0),
        "head_0_logits/bias": (0.1, 0.0),
    }


def test_one_score_for_two_classes_learns_as_the_difference_of_two():
    found = multipliers(recipes.realmlp, zoo.realmlp, "multiclass", "binary")
    assert found["head_0_logits/kernel"] == (1.0, 1.0)
    assert found["head_1_logits/kernel"] == (2.0, 1.0)
    assert found["head_1_logits/bias"] == (0.2, 0.0)


def test_the_simple_realmlp_has_fewer_rates_of_their_own():
    found = multipliers(recipes.realmlp_s, zoo.realmlp_s, "regression")
    assert found["diagonal_scale/kernel"][0] == 6.0
    assert found["hidden_0_dense/bias"][0] == 0.1
    assert recipes.realmlp_s(problem("regression")).weight_decay == 0.0


@pytest.mark.parametrize(
    ("kinds", "rate"), [(("regression",), 0.2), (("binary",), 0.04), (("regression", "binary"), 0.04)]
)
def test_numbers_are_learned_at_a_higher_rate(kinds, rate):
    assert recipes.realmlp(problem(*kinds)).learning_rate == rate


@pytest.mark.parametrize(("metric", "smoothing"), [("accuracy", 0.1), ("log_loss", 0.0), ("roc_auc", 0.0)])
def test_labels_are_smoothed_where_only_the_answer_counts(metric, smoothing):
    assert recipes.realmlp(problem("binary", metric=metric)).label_smoothing == smoothing


def test_the_rate_rises_and_falls_four_times_and_decay_and_dropout_end_at_zero():
    settings = recipes.realmlp(problem("regression"), epochs=4)
    found = curves(settings, first=0, count=400, total=400, seed=0)
    rate = found["rate"]
    assert rate[0] == 0
    assert rate[-1] == pytest.approx(0, abs=1e-6)
    assert rate.max() == pytest.approx(0.2, rel=1e-2)
    rising = np.sign(np.diff(rate))
    assert (np.diff(rising) < 0).sum() == 4
    assert found["decay"][0] == pytest.approx(0.02)
    assert found["dropout"][200] == pytest.approx(1.0, abs=1e-4)
    assert found["decay"][-1] == found["dropout"][-1] == 0
