"""The log lines of a scan: the library's id and numbers, never a path or a title."""

from __future__ import annotations

import logging

from .facts import ScanResult

_log = logging.getLogger("viewra_lite.media")


def log_begin(library_id: str, present: int) -> None:
    """Log that a scan or a reconciliation begins."""
    _log.info("scan of library %s begins, %d files are known", library_id, present)


def log_end(
    library_id: str, result: ScanResult, abandoned: bool, error: BaseException | None
) -> None:
    """Log how a scan or a reconciliation ended; abandoned: its folder could not be used."""
    if error is not None:
        _log.info("scan of library %s was broken off: %s", library_id, type(error).__name__)
    elif abandoned:  # the reason that the result gives names the folder
        _log.warning(
            "scan of library %s is frozen: its folder cannot be read or is empty", library_id
        )
    elif result.cancelled:
        _log.info("scan of library %s was cancelled after %.1f s", library_id, result.seconds)
    else:
        _log.info(
            "scan of library %s ended after %.1f s: %d added, %d updated, %d moved, %d removed, "
            "%d unchanged, %d probed, %d errors",
            library_id,
            result.seconds,
            result.added,
            result.updated,
            result.moved,
            result.removed,
            result.unchanged,
            result.probed,
            result.errors,
        )
        if result.frozen is not None:
            _log.warning("scan of library %s is frozen: %s", library_id, result.frozen)
