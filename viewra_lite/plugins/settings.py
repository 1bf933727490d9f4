"""The configuration of a plugin: validated by its JSON Schema, and never shown with its secrets."""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..database.orm.fields import dumps
from ..errors import InvalidValueError, PluginError, shown

MASK = "***"
Validate = Callable[[Any], Any]


class Settings(dict[str, Any]):
    """Values by name, whose repr() masks those that are writeOnly."""

    def __init__(self, values: Mapping[str, Any], masked: Mapping[str, Any]) -> None:
        super().__init__(
            {key: _hidden(value, masked.get(key, MASK)) for key, value in values.items()}
        )
        self._masked = masked

    def __repr__(self) -> str:
        return repr(self._masked)


def _hidden(value: object, masked: object) -> object:
    if isinstance(value, dict) and isinstance(masked, dict):
        return Settings(value, masked)
    if isinstance(value, list) and isinstance(masked, list):
        return [_hidden(one, other) for one, other in zip(value, masked)]
    return value


def validator(schema: object) -> Validate | None:
    """Return the function that validates and fills in defaults; raises PluginError."""
    if schema is None:
        return None
    try:
        import fastjsonschema
    except ImportError:
        raise PluginError(
            "its config_schema needs the package fastjsonschema",
            remedy="pip install fastjsonschema",
        ) from None
    if not isinstance(schema, Mapping):
        raise PluginError("config_schema is not a mapping", remedy="give a JSON Schema")
    handlers = dict.fromkeys(("http", "https", "ftp", "file"), _refuse_remote)
    try:
        validate: Validate = fastjsonschema.compile(json.loads(dumps(schema)), handlers=handlers)
    except Exception as exc:  # whatever a schema makes it raise
        raise PluginError(
            f"its config_schema cannot be used: {type(exc).__name__}: {exc}",
            remedy="correct the schema",
        ) from exc
    return validate


def _refuse_remote(uri: str) -> None:
    raise InvalidValueError(f"{shown(uri)} is not part of the schema")


def checked(values: object, validate: Validate | None, schema: object) -> dict[str, Any]:
    """Return a configuration with its defaults; raises InvalidValueError, which names the path."""
    if not isinstance(values, Mapping):
        raise InvalidValueError("the configuration must be a mapping")
    config = json.loads(dumps(dict(values)))
    if validate is not None:
        from fastjsonschema import JsonSchemaException

        secrets = secrets_of(config, masked(config, schema))
        try:
            config = validate(config)
        except JsonSchemaException as exc:
            reason = "config" + str(exc).removeprefix("data")
            raise InvalidValueError(without(secrets, reason)) from None
    result: dict[str, Any] = config
    return result


def restored(values: Any, masked: Any, stored: Any) -> Any:
    """Return values with the stored one in each place where a masked one was given back."""
    if values == MASK and masked == MASK:
        return stored
    if isinstance(values, Mapping) and isinstance(masked, dict) and isinstance(stored, dict):
        return {
            key: restored(value, masked.get(key), stored.get(key)) for key, value in values.items()
        }
    return values


# Secrets


def masked(value: object, schema: object, root: object = None) -> Any:
    """Return a copy of a value in which what the schema declares writeOnly is masked."""
    root = schema if root is None else root
    schemas = list(_applying(schema, root, set()))
    if any(one.get("writeOnly") is True for one in schemas):
        return MASK
    if isinstance(value, Mapping):
        return {
            key: masked(one, {"allOf": [s for each in schemas for s in _of_key(each, key)]}, root)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [
            masked(one, {"allOf": [s for each in schemas for s in _of_item(each, place)]}, root)
            for place, one in enumerate(value)
        ]
    return value


def _applying(schema: object, root: object, seen: set[int]) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all that apply to the same value."""
    if not isinstance(schema, Mapping) or id(schema) in seen:
        return
    seen.add(id(schema))
    yield schema
    for name in ("allOf", "anyOf", "oneOf"):
        for one in schema.get(name, ()):
            yield from _applying(one, root, seen)
    for name in ("if", "then", "else"):
        yield from _applying(schema.get(name), root, seen)
    if isinstance(schema.get("$ref"), str):
        yield from _applying(_referred(schema["$ref"], root), root, seen)


def _referred(reference: str, root: object) -> object:
    """Return the part of a schema that "#/definitions/name" names; None if it is missing."""
    found = root
    for part in reference.lstrip("#").strip("/").split("/") if reference != "#" else ():
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _of_key(schema: Mapping[str, Any], key: str) -> Iterator[object]:
    known = schema.get("properties", {})
    if key in known:
        yield known[key]
    matching = [
        one for text, one in schema.get("patternProperties", {}).items() if re.search(text, key)
    ]
    yield from matching
    if key not in known and not matching:
        yield schema.get("additionalProperties")


def _of_item(schema: Mapping[str, Any], place: int) -> Iterator[object]:
    items = schema.get("items")
    if not isinstance(items, list):
        yield items
    else:
        yield items[place] if place < len(items) else schema.get("additionalItems")


def secrets_of(value: object, masked: object) -> set[str]:
    """Return the texts of a value that are masked, also as they are in a URL or a repr()."""
    if masked == MASK and value != MASK:
        return set(_forms(value))
    if isinstance(value, Mapping) and isinstance(masked, Mapping):
        return {text for key in value for text in secrets_of(value[key], masked.get(key))}
    if isinstance(value, list) and isinstance(masked, list):
        return {text for one, other in zip(value, masked) for text in secrets_of(one, other)}
    return set()


def _forms(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _forms(one)
    elif value not in ("", None, True, False):
        from urllib.parse import quote, quote_plus

        text = str(value)
        yield from (text, repr(text)[1:-1], quote(text), quote(text, ""), quote_plus(text))
        yield json.dumps(text)[1:-1]


def without(secrets: set[str], text: str) -> str:
    """Return a text in which secrets are masked, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


class Masking(logging.Filter):
    """Masks the secrets of a plugin in what its logger writes."""

    def __init__(self, secrets: set[str]) -> None:
        super().__init__()
        self.secrets = secrets

    def filter(self, record: logging.LogRecord) -> bool:
        """Replace the message, and the traceback."""
        record.msg, record.args = without(self.secrets, record.getMessage()), ()
        if record.exc_info and record.exc_info[1] is not None:
            text = "".join(traceback.format_exception(record.exc_info[1])).rstrip()
            record.exc_text, record.exc_info = without(self.secrets, text), None
        return True
