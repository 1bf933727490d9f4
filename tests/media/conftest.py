"""Fixtures of the media room's tests."""

from __future__ import annotations

import pytest

from viewra_lite.media import scan
from viewra_lite.media.workers import ProbePool


@pytest.fixture
def probing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe in this process, as where no worker can start: starting them takes the most time."""
    monkeypatch.setattr(scan, "ProbePool", lambda workers, timeout_s: ProbePool(0, timeout_s))
