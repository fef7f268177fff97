"""What `--stage` and `--stage-setting` mean: pretexts by name, and the metaparameters of stages."""

from __future__ import annotations

import re

import pytest

import composable
from composable.auto.user_inputs import stage_parts
from composable.core.errors import ConfigError
from composable.design import Part
from composable.modality.image import IMAGE
from composable.modality.table import TABLE
from composable.training.stages.pretrain.pretrain import pretrain


def test_a_pretext_of_other_data_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match="--stage pretrain=mask, --stage pretrain=denoise"):
        stage_parts(("tune", "pretrain=jigsaw"), (), TABLE)
    stage_parts(("pretrain", "pretrain=jigsaw"), (), IMAGE)


def test_metaparameters_of_stages_are_set_by_name():
    settings = ("tune.rates=(0.001, 0.01)", "pretrain.epochs=3", "tune.largest_batch=64")
    tuned, pretrained = stage_parts(("tune", "pretrain=denoise"), settings, TABLE)
    assert (tuned.metaparameters["rates"], tuned.metaparameters["largest_batch"]) == ((0.001, 0.01), 64)
    assert pretrained.metaparameters["epochs"] == 3
    assert pretrained == Part(pretrain, task=TABLE.pretexts["denoise"], epochs=3)
    (warmed,) = stage_parts(("warmup",), ("warmup.e_lr=none",), TABLE)
    assert warmed.metaparameters["e_lr"] is None


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("tune", "STAGE.NAME=VALUE"),
        ("warmup.epochs=3", "the stages are tune"),  # it isn't gone through
        ("tune.epoch=3", "did you mean `epochs`"),
        ("tune.deadline=3", "no such metaparameter"),
        ("tune.share=0.5", "no such metaparameter"),  # the stages share the time alike
        ("tune.epochs=0", "greater than or equal to 1"),
        ("tune.epochs=many", "valid integer"),
        ("tune.epochs=__import__('os')", "valid integer"),
    ],
)
def test_a_setting_that_a_stage_does_not_take_is_refused_before_the_data_are_read(setting, named, tmp_path):
    with pytest.raises(ConfigError, match=re.escape(named)):
        composable.fit(tmp_path / "no.csv", "y", stages="tune", stage_settings=[setting])


def test_a_setting_of_a_stage_is_set_once():
    with pytest.raises(ConfigError, match="once"):
        stage_parts(("tune",), ("tune.epochs=3", "tune.epochs=4"), TABLE)
