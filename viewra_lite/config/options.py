"""The options with their units, defaults and ranges."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import ConfigError
from .values import (
    Secret,
    Unfit,
    check_choice,
    check_database_path,
    check_fraction,
    check_optional_path,
    check_order,
    check_secret,
    check_text,
    check_time_of_day,
    check_whole,
    shown,
)

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


# To a type checker these are ordinary dataclasses, and they behave like them. Config defines once
# the methods that the decorator would generate for each class, which took as long as opening a
# store.
if TYPE_CHECKING:
    from dataclasses import dataclass as options
else:
    options = partial(dataclass, init=False, repr=False, eq=False)


def _option(default: object, check: Callable[[Any], Any], *, secret: bool = False) -> Any:
    """Declare an option; messages and repr() never show a secret one."""
    return field(default=default, repr=not secret, metadata={"check": check, "secret": secret})


def _whole(default: int, low: int, high: int) -> Any:
    return _option(default, lambda value: check_whole(value, low, high))


def _choice(default: str, choices: tuple[str, ...]) -> Any:
    return _option(default, lambda value: check_choice(value, choices))


@options(frozen=True, kw_only=True)
class Config(ABC):
    """The options of both engines; a value out of range raises ConfigError."""

    # Connections kept open: one writer, the others for readers.
    pool_size: int = _whole(10, 1, 1000)
    # Milliseconds that a writer waits for another before StoreBusyError.
    busy_timeout_ms: int = _whole(10_000, 1, 600_000)
    # "normal" never corrupts, but a power cut may lose the last commits; "full" waits for the disk.
    synchronous: str = _choice("normal", ("normal", "full"))
    # Milliseconds from which a statement is noted as slow; 0 = off.
    slow_query_ms: int = _whole(200, 0, 600_000)
    # Rows that a scan writes in one transaction at most.
    scan_batch_rows: int = _whole(500, 1, 10_000)
    # Milliseconds that a scan holds the writer at most, so that playback does not wait for it.
    scan_batch_ms: int = _whole(25, 1, 10_000)
    # Processes that probe files; 0 = one per processor.
    scan_workers: int = _whole(0, 0, 64)
    # Seconds for one file, so that a broken one does not stall the scan.
    probe_timeout_s: int = _whole(60, 1, 3600)
    # Share (0 to 1) of a library that may vanish in one scan; more looks like an unplugged disk.
    freeze_threshold: float = _option(0.25, check_fraction)
    # Folder of backups; None = "backups" beside the database, on PostgreSQL ./viewra-data/backups.
    backup_folder: Path | None = _option(None, check_optional_path)
    # Local time of the daily backup, which run_due() takes at the first quiet moment; or "off".
    backup_at: str = _option("02:00", check_time_of_day)
    # Backups kept of each kind; an older one is removed after a newer one was verified.
    backup_keep: int = _whole(7, 1, 1000)
    # "on" takes a verified backup before each upgrade, which does not begin without one.
    upgrade_backup: str = _choice("on", ("on", "off"))
    # Folder of plugins: modules, packages and zip files that only its owner may write; None = none.
    plugins_folder: Path | None = _option(None, check_optional_path)
    # Milliseconds for a statement of a plugin, for a writing() block, for check() and for run().
    plugin_statement_ms: int = _whole(5000, 1, 600_000)
    plugin_writing_ms: int = _whole(8000, 1, 600_000)
    plugin_check_ms: int = _whole(30_000, 1, 3_600_000)
    plugin_run_ms: int = _whole(600_000, 1, 86_400_000)
    # MiB of a plugin's tables, above which it may not write into them; 0 = no limit.
    plugin_quota_mib: int = _whole(256, 0, 1_048_576)
    # KiB of all values in a plugin's storage.
    plugin_storage_kib: int = _whole(1024, 1, 1_048_576)
    # Ids of plugins, those whose answers are preferred first; "rating: omdb" is for one field.
    plugin_order: str = _option("", check_order)
    # Days that a missing file is kept before it is purged.
    retention_days: int = _whole(30, 0, 36_500)
    # Days after which a chore moves plays into the archive; 0 = never.
    archive_after_days: int = _whole(0, 0, 36_500)
    # MiB of transcoded files above which a chore evicts entries and deletes their files; 0 = never.
    transcode_cache_max_mib: int = _whole(0, 0, 1_073_741_824)
    # Seconds without a report after which a session expires: while playing, and while paused.
    session_timeout_s: int = _whole(300, 1, 604_800)
    paused_timeout_s: int = _whole(1800, 1, 604_800)
    # Share (0 to 1) of the running time from which a title counts as watched, and can be resumed.
    completed_at: float = _option(0.9, check_fraction)
    resume_from: float = _option(0.05, check_fraction)
    # Running time in seconds below which a title is never resumed.
    resume_min_duration_s: int = _whole(300, 0, 604_800)
    # The same for music: half a track counts, as for a scrobble; only long mixes are resumed.
    music_completed_at: float = _option(0.5, check_fraction)
    music_resume_from: float = _option(0.05, check_fraction)
    music_resume_min_duration_s: int = _whole(1200, 0, 604_800)

    def __init__(self, **given: object) -> None:
        try:
            self._take(given)
            return
        except ConfigError as exc:
            refusal = exc
        given.clear()  # a traceback may show the locals of our frames, and so the password
        raise refusal.with_traceback(None)

    def _take(self, given: Mapping[str, Any]) -> None:
        kind = type(self)
        unknown = given.keys() - options_of(kind).keys()
        if unknown:
            raise TypeError(f"{kind.__name__} has no option {', '.join(sorted(unknown))}")
        for name, option in options_of(kind).items():
            value = checked(option, given.get(name, option.default), kind.__name__)
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Refuse options that exclude each other."""

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return f"{type(self).__name__}({shown})"

    @property
    @abstractmethod
    def engine(self) -> Literal["sqlite", "postgres"]:
        """Name the engine."""

    def exists(self) -> bool:
        """Whether the database exists; True for a server, which is not asked."""
        return True

    @property
    @abstractmethod
    def url(self) -> str:
        """Return the database as a URL, its password masked."""


@options(frozen=True, kw_only=True)
class SqliteConfig(Config):
    """A store in one SQLite file."""

    type: str = field(default="sqlite", init=False)
    # Relative to the working directory, as in the specification.
    database_path: Path = _option(Path("viewra-data/viewra.db"), check_database_path)
    # "cysqlite" needs the extra `fast`, and brings its own SQLite.
    driver: str = _choice("sqlite3", ("sqlite3", "cysqlite"))
    # KiB of page cache for each connection: enough for the index pages of a large library.
    cache_size_kib: int = _whole(8192, 64, 4_194_304)
    # MiB of the file that each connection maps into memory, 0 = off: mapping made no verb faster,
    # and an I/O error in a mapping kills the process (https://sqlite.org/mmap.html).
    mmap_size_mib: int = _whole(0, 0, 1_048_576)
    # Pages in the WAL before a commit checkpoints it; 0 (never) is refused: it would fill the disk.
    wal_autocheckpoint_pages: int = _whole(10_000, 1, 1_000_000)

    @property
    def engine(self) -> Literal["sqlite", "postgres"]:
        """Name the engine."""
        return "sqlite"

    def exists(self) -> bool:
        """Whether the file is there; True where that cannot be seen."""
        try:
            return bool(os.stat(self.database_path))
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:  # no permission, for example
            return True

    @property
    def url(self) -> str:
        """Return the database as a URL."""
        from urllib.parse import quote

        return f"sqlite:///{quote(os.fsencode(os.path.abspath(self.database_path)))}"


@options(frozen=True, kw_only=True)
class PostgresConfig(Config):
    """A store on a PostgreSQL server."""

    type: str = field(default="postgres", init=False)
    # A host name, an address, or the directory of a Unix socket.
    host: str = _option("localhost", check_text)
    port: int = _whole(5432, 1, 65_535)
    user: str = _option("viewra", check_text)
    # Never shown; empty = none (peer or trust authentication, or ~/.pgpass).
    password: Secret = _option(Secret(""), check_secret, secret=True)
    # load_config() reads the file's first line into `password` and leaves None here. Messages never
    # show it, because a user may have put the password itself here.
    password_file: Path | None = _option(None, check_optional_path, secret=True)
    database: str = _option("viewra", check_text)
    # As in libpq: "prefer" encrypts if the server can; only "verify-full" authenticates the server.
    sslmode: str = _choice("prefer", _SSL_MODES)

    def __post_init__(self) -> None:
        if self.password and self.password_file:
            raise both_passwords("PostgresConfig")

    @property
    def engine(self) -> Literal["sqlite", "postgres"]:
        """Name the engine."""
        return "postgres"

    @property
    def url(self) -> str:
        """Return the database as a URL, its password masked."""
        from urllib.parse import quote

        user = quote(self.user, safe="") + (":***" if self.password else "")
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
        return f"postgresql://{user}@{host}:{self.port}/{quote(self.database, safe='')}"


@lru_cache(maxsize=None)
def options_of(kind: type[Config]) -> dict[str, Field[Any]]:
    """Return the options of an engine, by name."""
    return {option.name: option for option in fields(kind) if option.metadata}


def checked(option: Field[Any], value: object, where: str) -> Any:
    """Return an option's value, checked and converted; raises ConfigError."""
    try:
        return option.metadata["check"](value)
    except Unfit as exc:
        why = str(exc)
    given = "" if option.metadata["secret"] else shown(value)
    raise ConfigError(f"{where}: {option.name}: {why}{given}")


def both_passwords(where: str) -> ConfigError:
    """Return the error for a password beside a password_file."""
    return ConfigError(f"{where}: password_file: password is given too: remove one of them")
