"""A training in stages: draw, warmup, tune, pretrain, fit, finetune."""
