"""The time as a test sets it: the clock that the tests of plugins have."""

from __future__ import annotations

from viewra_lite.testing.clock import Clock

__all__ = ["Clock"]
