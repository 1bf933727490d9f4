"""Doctor of a store that this process does not have open, and that perhaps cannot be opened."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...config.options import Config
from ...database.findings import Finding
from ...errors import StoreAlreadyOpenError, ViewraError
from .checks import checked_ids, failed, of_closed

if TYPE_CHECKING:
    from typing import Protocol

    class Maintenance(Protocol):
        """The part of `store.maintenance` that is used here."""

        def check(self, *, only: Collection[str] | None = None) -> list[Finding]: ...
        def fix(self, id: str) -> None: ...


def check(
    config: Config,
    open: Callable[[], AbstractContextManager[Any]],
    *,
    only: Collection[str] | None,
    ignore: Collection[str],
    fix: bool,
    now: datetime,
) -> list[Finding]:
    """Return the findings of the store that open() opens; if it raises, why, and those of files."""
    chosen = checked_ids("only", only) - checked_ids("ignore", ignore)
    try:
        opened = open()
    except StoreAlreadyOpenError:
        raise
    except ViewraError as exc:
        return of_closed(config, exc, now, chosen)
    with opened as store:
        maintenance: Maintenance = store.maintenance
        found = maintenance.check(only=chosen)
        return _fixed(maintenance, found, chosen) if fix else found


def _fixed(
    maintenance: Maintenance, found: list[Finding], chosen: Collection[str]
) -> list[Finding]:
    """Do what fixable findings say; return those that remain, and why a fix failed."""
    failures = []
    for id in dict.fromkeys(finding.id for finding in found if finding.fixable):
        try:
            maintenance.fix(id)
        except ViewraError as exc:
            failures.append(failed(id, exc, "it could not be fixed"))
    return maintenance.check(only=chosen) + failures
