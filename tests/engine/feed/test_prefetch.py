"""Prefetching: the same items and errors as without it, never too many, and no thread left behind."""

from __future__ import annotations

import gc
import threading
import traceback
from contextlib import closing

import pytest

from composable.core.errors import ConfigError
from composable.engine.segments import prefetched


@pytest.fixture(autouse=True)
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    gc.collect()
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []


def test_items_come_in_order():
    assert list(prefetched(range(100))) == list(range(100))
    assert list(prefetched([])) == []


def test_items_are_made_in_another_thread():
    makers = list(prefetched(threading.get_ident() for _ in range(2)))
    assert set(makers).isdisjoint({threading.get_ident()})


@pytest.mark.parametrize("ahead", [1, 3])
def test_so_many_are_made_ahead_and_no_more(ahead):
    made, wanted = [], ahead + 2  # one in use, `ahead` waiting, one being made
    last = threading.Event()

    def items():
        for item in range(100):
            made.append(item)
            if len(made) == wanted:
                last.set()
            yield item

    with closing(prefetched(items(), ahead=ahead)) as stream:
        next(stream)
        assert last.wait(10)
        assert not threading.Event().wait(0.05)
        assert len(made) == wanted


def test_an_error_comes_after_the_items_before_it_with_its_traceback():
    def items():
        yield 1
        fail_here()

    def fail_here():
        raise ValueError("broken file")

    stream = prefetched(items())
    assert next(stream) == 1
    with pytest.raises(ValueError, match="broken file") as raised:
        next(stream)
    assert "fail_here" in [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)]


def test_an_error_in_the_very_iterator_is_raised():
    class Refusing:
        def __iter__(self):
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        list(prefetched(Refusing()))


@pytest.mark.parametrize("used", [1, 5])
def test_who_stops_early_ends_the_thread_and_closes_the_source(used):
    closed_in = []

    def items():
        try:
            yield from range(1000)
        finally:
            closed_in.append(threading.current_thread().name)

    with closing(prefetched(items())) as stream:
        for _ in range(used):
            next(stream)
    assert closed_in == ["prefetch"]


def test_an_abandoned_generator_ends_its_thread():
    for item in prefetched(range(1000)):
        if item == 3:
            break


def test_an_interrupt_of_the_consumer_ends_the_thread():
    def use():
        with closing(prefetched(range(1000))) as stream:
            for item in stream:
                if item == 2:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()


def test_an_interrupt_while_making_reaches_the_consumer():
    def items():
        yield 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(prefetched(items()))


def test_a_generator_that_is_never_used_starts_no_thread():
    before = threading.active_count()
    stream = prefetched(range(10))
    assert threading.active_count() == before
    stream.close()


def test_nothing_ahead_is_refused():
    with pytest.raises(ConfigError, match="ahead=0"):
        prefetched(range(3), ahead=0)
