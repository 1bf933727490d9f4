"""Every error that viewra_lite raises; a class's docstring is its default message."""

from __future__ import annotations

from reprlib import Repr
from typing import Any

LONGEST_MESSAGE = 2000
"""Characters; what is longer loses its middle."""
_LONGEST_SHOWN = 80


class ViewraError(Exception):
    """The store could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        text = message or (type(self).__doc__ or "").strip()
        if not text.isascii():  # a path that is not UTF-8 could be neither logged nor printed
            text = text.encode("utf-8", "backslashreplace").decode()
        super().__init__(_cut(text, LONGEST_MESSAGE))


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, whatever it is."""
    try:
        return _cut(_REPR.repr(value), _LONGEST_SHOWN)
    except Exception:  # a whole number of 5,000 digits, say
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
    """A value cannot be stored: it has the wrong type or lies outside what is allowed."""


class TransactionError(ViewraError):
    """The query does not fit the session it runs in: open a reader() or a writer() first."""


class StoreClosedError(ViewraError):
    """The store is closed: open it again with Store.open()."""


class StoreAlreadyOpenError(ViewraError):
    """This process has an open store already: close it before opening another."""


class StoreBusyError(ViewraError):
    """Another writer held the store for longer than the configured wait: try again."""


class StoreUnavailableError(ViewraError):
    """The database cannot be reached: its file, its disk or its server does not answer."""


class NotFoundError(ViewraError, LookupError):
    """There is no such record."""


class ConflictError(ViewraError):
    """The change collides with what the store already holds."""


class MigrationError(ViewraError):
    """The store could not be brought to this version; it was left as it was."""


class NewerSchemaError(MigrationError):
    """The store was made by a newer version: upgrade viewra_lite. Nothing was changed."""


class CorruptStoreError(ViewraError):
    """The database file is damaged: restore a backup."""


class BackupError(ViewraError):
    """The backup could not be made, or is not usable."""


class PluginError(ViewraError):
    """The plugin did something that it may not."""


class ProbeUnavailable(ViewraError):
    """An optional package is missing: pip install guessit pymediainfo tinytag."""
