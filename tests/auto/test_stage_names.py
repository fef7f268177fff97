"""Names of pretexts behind `--stage pretrain=`."""

from __future__ import annotations

import pytest

from composable.auto.user_inputs import stage_parts
from composable.core.errors import ConfigError
from composable.modality.image import IMAGE
from composable.modality.table import TABLE


def test_a_pretext_of_other_data_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="--stage pretrain=mask, --stage pretrain=denoise"):
        stage_parts(("tune", "pretrain=jigsaw"), TABLE)
    stage_parts(("pretrain", "pretrain=jigsaw"), IMAGE)
