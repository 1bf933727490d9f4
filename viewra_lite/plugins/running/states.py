"""The states of plugins, each with its reason and its remedy."""

from __future__ import annotations

from ..models import PluginRow
from ..finding.registering import HANGS, MOST_FAILURES, Entry, masked_config
from ..results import PluginStatus

STATES = ("off", "on", "failing", "incompatible", "broken", "absent")


def status_of(entry: Entry, row: PluginRow | None) -> PluginStatus:
    """Return the state of a registered plugin; row is what the store knows of it."""
    state, reason, remedy = _state(entry, row)
    return PluginStatus(
        id=entry.id,
        name=entry.name,
        version=entry.version,
        state=state,
        reason=reason,
        remedy=remedy,
        config=masked_config(entry, row),
        last_run=row.last_run_at if row is not None else None,
        error=row.error if row is not None else None,
    )


def _state(entry: Entry, row: PluginRow | None) -> tuple[str, str, str]:
    if entry.fault is not None:
        return entry.fault.state, entry.fault.reason, entry.fault.remedy
    enable = f'enable("{entry.id}")'
    if entry.hang is not None:
        return "failing", entry.hang, f"correct the plugin, restart the program, then {enable}"
    if row is not None and row.enabled:
        return "on", "", ""
    if row is not None and (row.failures or 0) >= MOST_FAILURES:
        often = "" if row.failures == HANGS else f"it failed {MOST_FAILURES} times in a row: "
        reason = f"{often}{row.error}"
        return "failing", reason, f"correct the cause, then {enable}"
    if row is not None and row.error:
        return "off", row.error, f'configure("{entry.id}", ...), then {enable}'
    return "off", "it is not enabled", enable


def absent(row: PluginRow) -> PluginStatus:
    """Return the state of a plugin that the store knows and that is not registered."""
    return PluginStatus(
        id=row.id,
        name=row.name,
        version=row.version or "",
        state="absent",
        reason="its code is not installed, or was not registered",
        remedy=f'install its package, or uninstall("{row.id}", purge=True)',
        config=masked_config(None, row),
        last_run=row.last_run_at,
        error=row.error,
    )
