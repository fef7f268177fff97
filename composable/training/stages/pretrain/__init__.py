"""Pre-training on tasks that need no labels: one file per task, and the stage `pretrain` that runs one."""
