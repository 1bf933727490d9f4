"""Every error that viewra_lite raises; a class's docstring is its default message."""

from __future__ import annotations


class ViewraError(Exception):
    """The store could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigError(ViewraError):
    """The configuration cannot be used."""


class InvalidValueError(ViewraError, ValueError):
    """A value cannot be stored: it has the wrong type or lies outside what is allowed."""


class SessionError(ViewraError):
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
