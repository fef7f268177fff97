"""Random blocks: every row once, mixed, from any chunk on."""

from __future__ import annotations

import numpy as np
import pytest

from composable.engine.feed.chunk import ShuffledBlocks


def rows_of(mixture):
    pairs = [(block, row) for block, rows in mixture.pieces for row in rows.tolist()]
    return [pairs[place] for place in mixture.order]


@pytest.mark.parametrize("sizes", [[5], [1] * 9, [3, 0, 7, 1, 40, 2], [0, 4, 0]])
@pytest.mark.parametrize("rows", [1, 4, 11, 100])
def test_every_row_of_every_block_comes_once(sizes, rows):
    blocks = ShuffledBlocks(sizes, seed=0, epoch=3)
    seen = [pair for number in range(blocks.chunks(rows)) for pair in rows_of(blocks.mixture(number, rows))]
    assert sorted(seen) == [(block, row) for block, size in enumerate(sizes) for row in range(size)]


def test_no_block_has_no_chunks():
    assert ShuffledBlocks([], seed=0, epoch=0).chunks(5) == 0
    assert ShuffledBlocks([0, 0], seed=0, epoch=0).chunks(5) == 0


def test_a_block_cut_by_a_border_gives_both_sides_rows_from_all_over_it():
    blocks = ShuffledBlocks([1000], seed=0, epoch=0)
    for number in range(2):
        assert np.std([row for _, row in rows_of(blocks.mixture(number, 500))]) > 250


def test_rows_meet_others_in_each_epoch():
    def neighbors(epoch):
        blocks = ShuffledBlocks([10] * 20, seed=0, epoch=epoch)
        return {block for block, _ in blocks.mixture(0, 50).pieces}

    assert neighbors(0) != neighbors(1)


def test_seed_and_epoch_are_not_added_up():
    def order(seed, epoch):
        return rows_of(ShuffledBlocks([1] * 30, seed=seed, epoch=epoch).mixture(0, 30))

    assert order(0, 1) != order(1, 0)
