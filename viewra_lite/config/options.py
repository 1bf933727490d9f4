"""Every option, with its unit, its default and its range."""

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
    check_password_file,
    check_secret,
    check_text,
    check_whole,
    shown,
)

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


# To a type checker these are ordinary dataclasses, and so they behave. What the decorator would
# write for each of them anew is written once in Config: it took as long as opening a store.
if TYPE_CHECKING:
    from dataclasses import dataclass as options
else:
    options = partial(dataclass, init=False, repr=False, eq=False)


def _option(default: Any, check: Callable[[Any], Any], *, secret: bool = False) -> Any:
    """Declare an option; neither a message nor repr() shows a secret one."""
    return field(default=default, repr=not secret, metadata={"check": check, "secret": secret})


def _whole(default: int, low: int, high: int) -> Any:
    return _option(default, lambda value: check_whole(value, low, high))


def _choice(default: str, choices: tuple[str, ...]) -> Any:
    return _option(default, lambda value: check_choice(value, choices))


@options(frozen=True, kw_only=True)
class Config(ABC):
    """The options that both engines share; a value out of its range raises ConfigError."""

    # Connections kept open: the readers of a busy house, and one writer.
    pool_size: int = _whole(10, 1, 1000)
    # Milliseconds that a writer waits for another before StoreBusyError.
    busy_timeout_ms: int = _whole(10_000, 1, 600_000)
    # "normal" never corrupts, but a power cut may undo the last commits; "full" waits for the disk.
    synchronous: str = _choice("normal", ("normal", "full"))
    # Milliseconds from which a query is remembered as slow; 0 = every query.
    slow_query_ms: int = _whole(200, 0, 600_000)
    # Rows that a scan writes in one transaction, at most.
    scan_batch_rows: int = _whole(500, 1, 10_000)
    # Milliseconds that a scan holds the writer, at most: playback must not feel a scan.
    scan_batch_ms: int = _whole(25, 1, 10_000)
    # Processes that probe files; 0 = one per processor.
    scan_workers: int = _whole(0, 0, 64)
    # Seconds for one file: a broken one must not stall the scan.
    probe_timeout_s: int = _whole(60, 1, 3600)
    # Share of a library (0 to 1) that may vanish in one scan; more looks like an unplugged disk.
    freeze_threshold: float = _option(0.25, check_fraction)
    # Backups kept; an older one goes once a newer has been verified.
    backup_keep: int = _whole(7, 1, 1000)
    # Days that a missing file is remembered before the purge.
    retention_days: int = _whole(30, 0, 36_500)
    # Seconds of silence after which a session that plays, or is paused, is taken for gone.
    session_timeout_s: int = _whole(300, 1, 604_800)
    paused_timeout_s: int = _whole(1800, 1, 604_800)
    # Share (0 to 1) of the running time from which it is watched, and from which it is resumed.
    completed_at: float = _option(0.9, check_fraction)
    resume_from: float = _option(0.05, check_fraction)
    # Seconds that it must run at least to be resumed at all.
    resume_min_duration_s: int = _whole(300, 0, 604_800)
    # The same for music: half of it counts, as a scrobble does; only long mixes are resumed.
    music_completed_at: float = _option(0.5, check_fraction)
    music_resume_from: float = _option(0.05, check_fraction)
    music_resume_min_duration_s: int = _whole(1200, 0, 604_800)

    def __init__(self, **given: Any) -> None:
        try:
            self._take(given)
            return
        except ConfigError as exc:
            refusal = exc
        # No frame of ours keeps the password, for a traceback may show what a frame holds.
        given.clear()
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
        """Refuse options that do not go together."""

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
        """Whether the database is there, as far as can be told without asking a server."""
        return True

    @property
    @abstractmethod
    def url(self) -> str:
        """Name the database as a URL, its password masked."""


@options(frozen=True, kw_only=True)
class SqliteConfig(Config):
    """A store in one SQLite file."""

    type: str = field(default="sqlite", init=False)
    # Relative to the working folder, as the specification writes it.
    database_path: Path = _option(Path("viewra-data/viewra.db"), check_database_path)
    # "cysqlite" comes with the extra `fast`, and brings an SQLite of its own.
    driver: str = _choice("sqlite3", ("sqlite3", "cysqlite"))
    # KiB of page cache for each connection: the index pages of a large library, times pool_size.
    cache_size_kib: int = _whole(8192, 64, 4_194_304)
    # MiB of the file mapped into memory by each connection, 0 = off: it made no verb faster, and a
    # disk that fails under a mapping ends the process (https://sqlite.org/mmap.html).
    mmap_size_mib: int = _whole(0, 0, 1_048_576)
    # Pages in the WAL before a commit checkpoints it; 0 (never) would let it fill the disk.
    wal_autocheckpoint_pages: int = _whole(10_000, 1, 1_000_000)

    @property
    def engine(self) -> Literal["sqlite", "postgres"]:
        """Name the engine."""
        return "sqlite"

    def exists(self) -> bool:
        """Whether the file is there."""
        return self.database_path.exists()

    @property
    def url(self) -> str:
        """Name the database as a URL."""
        from urllib.parse import quote

        return f"sqlite:///{quote(os.fsencode(os.path.abspath(self.database_path)))}"


@options(frozen=True, kw_only=True)
class PostgresConfig(Config):
    """A store on a PostgreSQL server."""

    type: str = field(default="postgres", init=False)
    # A name, an address, or the folder of a Unix socket.
    host: str = _option("localhost", check_text)
    port: int = _whole(5432, 1, 65_535)
    user: str = _option("viewra", check_text)
    # Never shown; empty = none (peer or trust authentication, or ~/.pgpass).
    password: Secret = _option(Secret(""), check_secret, secret=True)
    # load_config() puts its first line into password, and leaves None here. Never shown in a
    # message: clumsy hands write the password itself here.
    password_file: Path | None = _option(None, check_password_file, secret=True)
    database: str = _option("viewra", check_text)
    # libpq's word: "prefer" encrypts when the server can; only "verify-full" proves who answers.
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
        """Name the database as a URL, its password masked."""
        from urllib.parse import quote

        user = quote(self.user, safe="") + (":***" if self.password else "")
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
        return f"postgresql://{user}@{host}:{self.port}/{quote(self.database, safe='')}"


@lru_cache(maxsize=None)
def options_of(kind: type[Config]) -> dict[str, Field[Any]]:
    """Return the options of an engine, by name."""
    return {option.name: option for option in fields(kind) if option.metadata}


def checked(option: Field[Any], value: object, where: str) -> Any:
    """Return an option's value as it is stored; raises ConfigError."""
    try:
        return option.metadata["check"](value)
    except Unfit as exc:
        why = str(exc)
    given = "" if option.metadata["secret"] else shown(value)
    raise ConfigError(f"{where}: {option.name}: {why}{given}")


def both_passwords(where: str) -> ConfigError:
    """Return the error for a password and a password_file."""
    return ConfigError(f"{where}: password_file: password is given too: keep one of the two")
