"""A model that predicts every pixel has pictures, and nothing per column."""

from types import SimpleNamespace

import pytest

from composable.core.errors import ConfigError
from composable.explain.contributions import contributions
from composable.explain.importance import bundle_importance


def test_masks_are_not_explained_by_columns():
    masked = SimpleNamespace(masked=True)
    with pytest.raises(ConfigError, match="every pixel"):
        contributions(masked, None, {})
    with pytest.raises(ConfigError, match="every pixel"):
        bundle_importance(masked, None, seed=0)
