"""Every error that viewra_lite raises; a class's docstring is its default message."""

from __future__ import annotations

from reprlib import Repr

LONGEST_MESSAGE = 2000
"""Characters; a longer message loses its middle."""
_LONGEST_SHOWN = 80


class ViewraError(Exception):
    """The operation failed; the base class of every error of viewra_lite."""

    def __init__(self, message: str | None = None) -> None:
        text = message or (type(self).__doc__ or "").strip()
        if not text.isascii():  # a path that is not UTF-8 can be neither logged nor printed
            text = text.encode("utf-8", "backslashreplace").decode()
        super().__init__(_cut(text, LONGEST_MESSAGE))


def shown(value: object) -> str:
    """Return a short repr() of any value for a message."""
    try:
        return _cut(_REPR.repr(value), _LONGEST_SHOWN)
    except Exception:  # repr() of an int of 5,000 digits raises, for example
        return f"<{type(value).__name__}>"


_REPR = Repr()
_REPR.maxlevel = 3
_REPR.maxstring = _REPR.maxother = _LONGEST_SHOWN


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


class ConfigError(ViewraError):
    """The configuration cannot be used."""


class InvalidValueError(ViewraError, ValueError):
    """A value is not allowed: it has the wrong type or is out of range."""


class TransactionError(ViewraError):
    """The query is not allowed here: run it inside reader(), or a write inside writer()."""


class StoreClosedError(ViewraError):
    """The store is closed: open it again with Store.open()."""


class StoreAlreadyOpenError(ViewraError):
    """This process already has an open store: close it before opening another."""


class StoreBusyError(ViewraError):
    """Another writer held the store for longer than busy_timeout_ms: try again."""


class StoreUnavailableError(ViewraError):
    """The database cannot be reached: its file, its disk or its server does not answer."""


class StoreFullError(StoreUnavailableError):
    """The disk is full: make room. Nothing was written in part, and reading still works."""


class NotFoundError(ViewraError, LookupError):
    """The record does not exist."""


class ConflictError(ViewraError):
    """The change conflicts with an existing record."""


class MigrationError(ViewraError):
    """The store could not be migrated; nothing was changed."""


class NewerSchemaError(MigrationError):
    """The store was written by a newer version: upgrade viewra_lite. Nothing was changed."""


class CorruptStoreError(ViewraError):
    """The database file is damaged: run viewra-lite recover."""


class BackupError(ViewraError):
    """The backup could not be created, or cannot be used."""


class PluginError(ViewraError):
    """The plugin cannot be used, or did something that is not allowed."""

    def __init__(self, message: str | None = None, *, remedy: str = "") -> None:
        self.reason = message or (type(self).__doc__ or "").strip()
        self.remedy = remedy
        super().__init__(f"{self.reason}: {remedy}" if remedy else self.reason)


class ProbeUnavailable(ViewraError):
    """An optional package is missing: pip install guessit pymediainfo tinytag."""
