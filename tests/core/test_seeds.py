"""Each use of chance has its own seed, and it is always the same."""

from composable.core.seeds import derive


def test_seeds_depend_on_the_seed_and_on_every_name():
    seeds = {
        derive(0),
        derive(1),
        derive(0, "split"),
        derive(0, "init"),
        derive(0, "init", 1),
        derive(0, "init", 2),
    }
    assert len(seeds) == 6
    assert all(0 <= seed < 2**31 for seed in seeds)


def test_seeds_never_change_between_versions():
    assert derive(0, "split") == 1_755_515_551
