"""Configuration: every option, its unit, default and range, and the sources it is read from.

A source gives option keys and values; the environment mapping, when one is given, overrides them.
Nothing here creates a file, expands ~ or $, or reads the process environment.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union

from .errors import ConfigError
from .option_values import (
    Secret, Unfit, check_choice, check_database_path, check_fraction,
    check_password_file, check_secret, check_text, check_whole, did_you_mean, file_label,
    key_label, nearest, shown)

__all__ = ["Config", "ConfigSource", "PostgresConfig", "Secret", "SqliteConfig", "load_config"]

ENVIRON_PREFIX = "VIEWRA_DATABASE_"

ConfigSource = Union[None, "Config", Mapping[str, Any], str, "os.PathLike[str]"]
_Given = dict[str, tuple[object, str]]  # option key -> its value as given, and where that stands

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


# --- The options. ---

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
        unknown = given.keys() - _options(kind).keys()
        if unknown:
            raise TypeError(f"{kind.__name__} has no option {', '.join(sorted(unknown))}")
        for name, option in _options(kind).items():
            value = _checked(option, given.get(name, option.default), kind.__name__)
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
            raise _both_passwords("PostgresConfig")

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


_ENGINES: dict[str, type[Config]] = {
    "sqlite": SqliteConfig, "postgres": PostgresConfig, "postgresql": PostgresConfig,
}


@lru_cache(maxsize=None)
def _options(kind: type[Config]) -> dict[str, Field[Any]]:
    return {option.name: option for option in fields(kind) if option.metadata}


def _checked(option: Field[Any], value: object, where: str) -> Any:
    try:
        return option.metadata["check"](value)
    except Unfit as exc:
        why = str(exc)
    given = "" if option.metadata["secret"] else shown(value)
    raise ConfigError(f"{where}: {option.name}: {why}{given}")


# --- The sources: each returns what it was given, with the place for a message. ---


def load_config(source: ConfigSource = None, *,
                environ: Mapping[str, str] | None = None) -> Config:
    """Read the configuration from a YAML file, mapping, URL or Config; None is the default.

    A str with :// is a URL, any other the path of a file. VIEWRA_DATABASE_<KEY> in `environ`
    overrides a key; the process environment is not read. ConfigError says what is wrong and where.
    """
    try:
        return _configured(source, _from_environ(environ or {}))
    except ConfigError as exc:
        refusal = exc
    finally:
        source = environ = None
    # The frames below hold the text of the file, and so the password: they end here.
    refusal.__cause__ = refusal.__context__ = None
    raise refusal.with_traceback(None)


def _configured(source: ConfigSource, overrides: _Given) -> Config:
    given = _given(source)
    if overrides.keys() & {"password", "password_file"}:  # the pair is one setting
        given = {key: item for key, item in given.items()
                 if key not in ("password", "password_file")}
    given |= overrides
    if "password" in given and "password_file" in given:
        raise _both_passwords(given["password_file"][1])
    if isinstance(source, Config) and not overrides and "password_file" not in given:
        return source
    kind = _kind(given)
    values = {key: _value(kind, key, *item) for key, item in given.items() if key != "type"}
    config = kind(**values)
    if not isinstance(config, PostgresConfig) or config.password_file is None:
        return config
    password = _password_from(config.password_file, given["password_file"][1])
    return replace(config, password=password, password_file=None)


def _both_passwords(where: str) -> ConfigError:
    return ConfigError(f"{where}: password_file: password is given too: keep one of the two")


def _password_from(path: Path, where: str) -> Secret:
    from .yaml_source import decoded, read_small_file

    label = f"{where}: password_file"
    line = decoded(read_small_file(os.fspath(path), label), label).partition("\n")[0]
    password = line.removesuffix("\r")
    if not password:
        raise ConfigError(f"{label}: its first line is empty: it must be the password")
    return Secret(_checked(_options(PostgresConfig)["password"], password, label).reveal())


def _kind(given: _Given) -> type[Config]:
    value, where = given.get("type", ("sqlite", ""))
    if isinstance(value, str) and value in _ENGINES:
        return _ENGINES[value]
    why = f"expected sqlite or postgres{did_you_mean(value, _ENGINES)}"
    raise ConfigError(f"{where}: type: {why}{shown(value)}")


def _value(kind: type[Config], key: str, value: object, where: str) -> Any:
    options = _options(kind)
    if key not in options:
        raise ConfigError(f"{where}: {_why_unknown(kind, key, bare=value is None)}")
    if value is None:
        raise ConfigError(f"{where}: {key}: has no value: give one (in quotes), or remove the key")
    return _checked(options[key], value, where)


def _why_unknown(kind: type[Config], key: str, bare: bool) -> str:
    this = "sqlite" if kind is SqliteConfig else "postgres"
    other, owner = (("postgres", PostgresConfig) if this == "sqlite" else ("sqlite", SqliteConfig))
    if key in _options(owner):
        return f"{key}: belongs to type {other}, and the type here is {this}"
    near = did_you_mean(key, _options(kind)) or did_you_mean(key, _options(owner))
    name = key_label(None if bare else key)  # in {password, hunter} a value has become a key
    return f"{name} is no option{near or ': the options are ' + _names(kind)}"


def _names(kind: type[Config]) -> str:
    return ", ".join(["type", *_options(kind)])


def _given(source: ConfigSource) -> _Given:
    if source is None:
        return {}
    if isinstance(source, Config):
        return _from_config(source)
    if isinstance(source, Mapping):
        return _from_mapping(source)
    if isinstance(source, str) and re.match(r"(?is)(sqlite|postgres(ql)?):|.*://", source):
        from .url_source import read_url

        return read_url(source)
    if isinstance(source, (str, os.PathLike)):
        return _from_yaml(os.fsdecode(source))
    raise ConfigError("expected a path, a URL, a mapping or a Config, not a value of type"
                      f" {type(source).__name__}")


def _from_config(config: Config) -> _Given:
    where = type(config).__name__
    changed = {name: (getattr(config, name), where) for name, option
               in _options(type(config)).items() if getattr(config, name) != option.default}
    return {"type": (config.engine, where), **changed}


def _from_mapping(source: Mapping[Any, Any]) -> _Given:
    where = "the mapping"
    section = source.get("database")
    if not isinstance(section, Mapping):
        raise ConfigError(f"{where}: expected {{'database': {{option: value}}}}")
    if any(not isinstance(key, str) for key in section):
        raise ConfigError(f"{where}: every key of 'database' must be text")
    return {key: (value, where) for key, value in section.items()}


def _from_yaml(path: str) -> _Given:
    from .yaml_source import read_yaml

    label = file_label(path)
    if not path:
        raise ConfigError("expected the path of a YAML file, and it is empty")
    document = read_yaml(path)
    root = document.value
    if not isinstance(root, dict):
        raise ConfigError(f"{label}, line {document.line}: expected sections, such as 'database:'")
    if "database" not in root:
        raise ConfigError(f"{label}: has no section 'database:'{_near_section(root)}")
    section = root["database"]
    if not isinstance(section.value, dict):
        raise ConfigError(f"{label}, line {section.line}: database: expected options below it,"
                          " indented, one 'key: value' a line")
    return {key: (node.value, f"{label}, line {node.line}")
            for key, node in section.value.items()}


def _near_section(root: Mapping[str, Any]) -> str:
    near = nearest("database", root)
    return f" (is line {root[near].line} meant: {key_label(near)}?)" if near else ""


def _from_environ(environ: Mapping[str, str]) -> _Given:
    keys = {key.upper(): key for kind in (SqliteConfig, PostgresConfig)
            for key in ("type", *_options(kind))}
    given: _Given = {}
    if not isinstance(environ, Mapping):
        raise ConfigError(f"environ must be a mapping, not {type(environ).__name__}")
    for name, value in environ.items():
        if not isinstance(name, str) or not name.startswith(ENVIRON_PREFIX):
            continue
        where = f"environment variable {file_label(name)}"
        suffix = name[len(ENVIRON_PREFIX):]
        if suffix not in keys:
            near = nearest(suffix, keys)
            meant = f" (did you mean {ENVIRON_PREFIX}{near}?)" if near else ""
            raise ConfigError(f"{where}: there is no such option{meant}")
        given[keys[suffix]] = (value, where)
    return given
