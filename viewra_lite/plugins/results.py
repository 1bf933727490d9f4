"""What the verbs of `store.plugins` return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..database.findings import Finding, Severity

_SEVERITIES: dict[str, Severity] = {
    "absent": "info",
    "broken": "warning",
    "failing": "warning",
    "incompatible": "warning",
}


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """A plugin and how it is."""

    id: str
    name: str
    version: str
    state: str
    """off, on, failing, incompatible, broken or absent."""
    reason: str = ""
    """Why it is not on."""
    remedy: str = ""
    """What to do about it."""
    config: Mapping[str, Any] = field(default_factory=dict)
    """Its configuration; writeOnly values are "***", and all values if its code is missing."""
    last_run: datetime | None = None
    """When run() was last called."""
    error: str | None = None
    """Its last failure, None after a success."""

    @property
    def finding(self) -> Finding | None:
        """Its state as a finding, as of a check of doctor; None for one that is on or off."""
        severity = _SEVERITIES.get(self.state)
        if severity is None:
            return None
        return Finding(
            "plugins", severity, f"the plugin {self.id} is {self.state}: {self.reason}", self.remedy
        )


@dataclass(frozen=True, slots=True)
class PluginRun:
    """A call of a plugin's run()."""

    id: str
    seconds: float
    error: str | None = None
    """Why it failed; it is tried again later."""


@dataclass(frozen=True, slots=True)
class PluginUsage:
    """What a plugin has in the store."""

    id: str
    tables: Mapping[str, int]
    """Its own tables, each with the number of its rows."""
    answers: int
    """Rows of plugin_metadata."""
    storage_keys: int
    storage_bytes: int
    bytes: int = 0
    """Of its own tables with their indexes; an estimate with an SQLite that cannot say it."""
    answer_bytes: int = 0
    """Of the facts in its answers, as JSON."""
    fields: int = 0
    """Of movies, shows and music, with a value of its answers; counted by uninstall(purge=True)."""
