"""Sources are recognized by what they are, without importing what they aren't."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from composable.core.errors import ConfigError, DataError
from composable.engine.feed.image_folder import ImageShape
from composable.engine.feed.recognize import as_feed

X = np.zeros((4, 2))


def test_a_feed_stays_what_it_is():
    feed = as_feed((X, X))
    assert as_feed(feed) is feed


@pytest.mark.parametrize("source", [iter([X]), 3, None, [1, 2], lambda: X], ids=str)
def test_other_things_are_refused_by_type(source):
    with pytest.raises(DataError, match=f"Received: {type(source).__name__}"):
        as_feed(source)


def test_what_a_source_needs_is_said(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("a\n1\n")
    with pytest.raises(ConfigError, match="`encode`"):
        as_feed(table)
    with pytest.raises(ConfigError, match="`cache`"):
        as_feed(table, encode=list)
    with pytest.raises(ConfigError, match="`images`"):
        as_feed(tmp_path)


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(DataError, match="neither"):
        as_feed(tmp_path / "none.csv", encode=list, cache=tmp_path)
    with pytest.raises(DataError, match="one folder per class"):
        as_feed(str(tmp_path), images=ImageShape(2, 2))


def test_no_other_backend_is_imported():
    code = (
        "import composable, sys\n"
        "from composable.core.backend import choose_backend\n"
        "choose_backend()\n"
        "import numpy\n"
        "from composable.engine.feed.recognize import as_feed\n"
        "as_feed((numpy.zeros(3), numpy.zeros(3)))\n"
        "print({'tensorflow', 'torch'} & set(sys.modules))"
    )
    environment = {"KERAS_BACKEND": "jax", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == "set()", done.stderr
