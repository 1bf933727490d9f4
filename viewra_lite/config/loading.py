"""Load a configuration from a YAML file, mapping, URL or Config.

A source gives option keys and values. The `environ` mapping, if given, overrides them. Nothing here
creates a file, expands ~ or $, or reads the process environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Union

from ..errors import ConfigError
from .options import Config, PostgresConfig, SqliteConfig, both_passwords, checked, options_of
from .values import Secret, did_you_mean, file_label, key_label, nearest, shown

ENVIRON_PREFIX = "VIEWRA_DATABASE_"

ConfigSource = Union[None, "Config", Mapping[str, Any], str, "os.PathLike[str]"]
_Given = dict[str, tuple[object, str]]  # option key -> value as given, and its place in a message

_ENGINES: dict[str, type[Config]] = {
    "sqlite": SqliteConfig,
    "postgres": PostgresConfig,
    "postgresql": PostgresConfig,
}


def load_config(source: ConfigSource = None, *, environ: Mapping[str, str] | None = None) -> Config:
    """Load the configuration from a YAML file, mapping, URL or Config; None gives the defaults.

    A str with :// is a URL, any other str is the path of a YAML file. Relative paths are resolved
    against the working directory; ~ and $VAR are not expanded. VIEWRA_DATABASE_<KEY> in `environ`
    overrides a key; the process environment is read only if it is passed:

        config = load_config("viewra.yaml", environ=os.environ)

    Raises ConfigError, which names the place and the remedy.
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


def explained(
    source: ConfigSource = None, *, environ: Mapping[str, str] | None = None
) -> list[tuple[str, str | None, str]]:
    """Return each option with its value as text, None without one, and its source.

    Secrets are masked. Takes what load_config() takes, and raises its errors.
    """
    config = load_config(source, environ=environ)
    given = _merged(source, _from_environ(environ or {}))
    found: list[tuple[str, str | None, str]] = [("type", config.engine, "type")]
    for name, option in options_of(type(config)).items():
        value = getattr(config, name)
        key = "password_file" if name == "password" and "password_file" in given else name
        if option.metadata["secret"] and (value or key in given):
            value = "***"
        found.append((name, None if value is None else str(value), key))
    return [
        (name, value, given[key][1] if key in given else "default") for name, value, key in found
    ]


def _merged(source: ConfigSource, overrides: _Given) -> _Given:
    given = _given(source)
    if overrides.keys() & {"password", "password_file"}:  # the pair is one setting
        given = {
            key: item for key, item in given.items() if key not in ("password", "password_file")
        }
    return given | overrides


def _configured(source: ConfigSource, overrides: _Given) -> Config:
    given = _merged(source, overrides)
    if "password" in given and "password_file" in given:
        raise both_passwords(given["password_file"][1])
    if isinstance(source, Config) and not overrides and "password_file" not in given:
        return source
    kind = _kind(given)
    values = {key: _value(kind, key, *item) for key, item in given.items() if key != "type"}
    config = kind(**values)
    if not isinstance(config, PostgresConfig) or config.password_file is None:
        return config
    password = _password_from(config.password_file, given["password_file"][1])
    return replace(config, password=password, password_file=None)


def first_line(path: str | os.PathLike[str], label: str) -> str:
    """Return the password in a file; raises ConfigError, which begins with the label."""
    from .yaml_source import decoded, read_small_file

    line = decoded(read_small_file(os.fspath(path), label), label).partition("\n")[0]
    password = line.removesuffix("\r")
    if not password:
        raise ConfigError(f"{label}: the first line is empty: put the password there")
    return password


def _password_from(path: Path, where: str) -> Secret:
    label = f"{where}: password_file"
    password = first_line(path, label)
    return Secret(checked(options_of(PostgresConfig)["password"], password, label).reveal())


def _kind(given: _Given) -> type[Config]:
    value, where = given.get("type", ("sqlite", ""))
    if isinstance(value, str) and value in _ENGINES:
        return _ENGINES[value]
    why = f"expected sqlite or postgres{did_you_mean(value, _ENGINES)}"
    raise ConfigError(f"{where}: type: {why}{shown(value)}")


def _value(kind: type[Config], key: str, value: object, where: str) -> Any:
    options = options_of(kind)
    if key not in options:
        raise ConfigError(f"{where}: {_why_unknown(kind, key, bare=value is None)}")
    if value is None:
        raise ConfigError(f"{where}: {key}: has no value: add one (in quotes), or remove the key")
    return checked(options[key], value, where)


def _why_unknown(kind: type[Config], key: str, bare: bool) -> str:
    this = "sqlite" if kind is SqliteConfig else "postgres"
    other, owner = ("postgres", PostgresConfig) if this == "sqlite" else ("sqlite", SqliteConfig)
    if key in options_of(owner):
        return f"{key}: belongs to type {other}, but the type here is {this}"
    near = did_you_mean(key, options_of(kind)) or did_you_mean(key, options_of(owner))
    name = key_label(None if bare else key)  # in {password, hunter} a value has become a key
    return f"unknown option {name}{near or ': the options are ' + _names(kind)}"


def _names(kind: type[Config]) -> str:
    return ", ".join(["type", *options_of(kind)])


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
    raise ConfigError(
        "expected a path, a URL, a mapping or a Config, not a value of type"
        f" {type(source).__name__}"
    )


def _from_config(config: Config) -> _Given:
    where = type(config).__name__
    changed = {
        name: (getattr(config, name), where)
        for name, option in options_of(type(config)).items()
        if getattr(config, name) != option.default
    }
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
        raise ConfigError("the path of the YAML file is empty")
    document = read_yaml(path)
    root = document.value
    if not isinstance(root, dict):
        raise ConfigError(f"{label}, line {document.line}: expected sections, such as 'database:'")
    if "database" not in root:
        raise ConfigError(f"{label}: has no section 'database:'{_near_section(root)}")
    section = root["database"]
    if not isinstance(section.value, dict):
        raise ConfigError(
            f"{label}, line {section.line}: database: expected options below it,"
            " indented, one 'key: value' a line"
        )
    return {key: (node.value, f"{label}, line {node.line}") for key, node in section.value.items()}


def _near_section(root: Mapping[str, Any]) -> str:
    near = nearest("database", root)
    return f" (is {key_label(near)} in line {root[near].line} a misspelling?)" if near else ""


def _from_environ(environ: Mapping[str, str]) -> _Given:
    keys = {
        key.upper(): key
        for kind in (SqliteConfig, PostgresConfig)
        for key in ("type", *options_of(kind))
    }
    given: _Given = {}
    if not isinstance(environ, Mapping):
        raise ConfigError(f"environ must be a mapping, not {type(environ).__name__}")
    for name, value in environ.items():
        if not isinstance(name, str) or not name.startswith(ENVIRON_PREFIX):
            continue
        where = f"environment variable {file_label(name)}"
        suffix = name[len(ENVIRON_PREFIX) :]
        if suffix not in keys:
            near = nearest(suffix, keys)
            remark = f" (did you mean {ENVIRON_PREFIX}{near}?)" if near else ""
            raise ConfigError(f"{where}: unknown option{remark}")
        given[keys[suffix]] = (value, where)
    return given
