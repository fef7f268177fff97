"""What the machine offers, also where the system doesn't tell."""

import os

from composable.core.machine import cores, memory_gb


def test_the_cores_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1


def test_memory_is_in_gigabytes_or_unknown(monkeypatch):
    monkeypatch.setattr(
        os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2_000_000}.__getitem__, raising=False
    )
    assert memory_gb() == 8.2
    monkeypatch.delattr(os, "sysconf")
    assert memory_gb() is None
