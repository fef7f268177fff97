"""Which choices of a search mattered, by its trials alone."""

from __future__ import annotations

import json

import numpy as np
import pytest

from composable.core.errors import ArtifactError
from composable.search.choices import FAMILY, importance, important_choices
from composable.search.leaderboard import FORMAT


def test_the_choice_that_decides_is_the_most_important_one():
    rng = np.random.default_rng(0)
    rates = np.exp(rng.uniform(np.log(1e-4), np.log(1e-1), 30))
    tried = [
        {FAMILY: ("mlp", "tabm")[n % 2], "mlp.training.learning_rate": float(rate), "mlp.stem.width": n % 3}
        for n, rate in enumerate(rates)
    ]
    losses = [abs(float(np.log(rate / 1e-2))) for rate in rates]
    found = importance(tried, losses)
    assert found[0].choice == "mlp.training.learning_rate"
    assert found[0].best == pytest.approx(rates[int(np.argmin(losses))])
    assert (found[0].low, found[0].high) == pytest.approx((rates.min(), rates.max()))
    assert sum(one.importance for one in found) == pytest.approx(1.0, abs=1e-6)


def test_choices_of_one_family_are_no_matter_of_the_others():
    """A family's own path is known of its trials alone; a family of few trials has none."""
    tried = [{FAMILY: "mlp", "mlp.units": 64 * (1 + n % 4)} for n in range(8)]
    tried += [{FAMILY: "tabm", "tabm.count": n} for n in range(4)]
    found = {one.choice: one for one in importance(tried, [float(n % 4) for n in range(12)])}
    assert "tabm.count" not in found
    assert found["mlp.units"].trials == 8


def test_where_nothing_differs_nothing_mattered():
    assert importance([{FAMILY: "mlp", "mlp.units": 64}] * 8, [float(n) for n in range(8)]) == ()


@pytest.fixture
def write(tmp_path):
    def write(number, **changes):
        facts = {
            "format": FORMAT, "number": number, "name": f"mlp_{number}", "role": "network", "status": "done",
            "metric": "roc_auc", "higher_is_better": True, "validation": {"roc_auc": 0.5 + 0.05 * number},
            "architecture": {"stem": {"component": "plain"}, "learner": [{"units": 32 * (number + 1)}] * 2},
            "settings": {"learning_rate": 0.001, "averaging": None, "patience": 10},
        }  # fmt: skip
        folder = tmp_path / "trials" / str(number)
        folder.mkdir(parents=True)
        (folder / "trial.json").write_text(json.dumps(facts | changes))

    return write


def test_the_trials_of_a_folder_say_what_mattered(tmp_path, write):
    for number in range(7):
        write(number)
    write(7, status="failed", validation={})
    write(8, role="baseline", name="trees")
    write(9, validation={"roc_auc": None})
    (found,) = important_choices(tmp_path)  # of places that always have the same value the first
    assert (found.choice, found.best, found.trials) == ("mlp.learner.0.units", 224, 7)


def test_of_few_trials_nothing_is_said_and_a_damaged_one_is_named(tmp_path, write):
    assert important_choices(tmp_path) == ()
    for number in range(5):
        write(number)
    assert important_choices(tmp_path) == ()
    write(5, format="composable.trial/99")
    with pytest.raises(ArtifactError, match="trials/5"):
        important_choices(tmp_path)
