"""The URL form of the configuration: sqlite:///file and postgresql://user@host/database.

urllib's own parser is lenient, and its errors repeat the password.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..errors import ConfigError
from .values import PLAIN_WORD, key_label

_SCHEMES = {"sqlite": "sqlite", "postgres": "postgres", "postgresql": "postgres"}
_FORMS = {
    "sqlite": (
        re.compile(r"/(?P<database_path>[^?#]*)(?:\?(?P<query>[^#]*))?"),
        "expected sqlite:///relative.db or sqlite:////absolute.db (# and ? as %23 and %3F)",
    ),
    "postgres": (
        re.compile(
            r"(?:(?P<user>[^:@/?#]+)?(?::(?P<password>[^@/?#]*))?@)?"
            r"(?P<host>\[[^\]/?#@]+\]|[^:@/?#\[\]]+)?(?::(?P<port>[^:@/?#]+)?)?"
            r"(?:/(?P<database>[^/?#]+)?)?(?:\?(?P<query>[^#]*))?"
        ),
        "expected postgresql://user:password@host:port/database"
        " (: / ? # @ % in a part as %3A %2F %3F %23 %40 %25)",
    ),
}


def read_url(url: str) -> dict[str, tuple[object, str]]:
    """Return the options in a database URL, each with its place; raises ConfigError."""
    scheme, slashes, rest = url.partition("://")
    engine = _SCHEMES.get(scheme.lower()) if slashes else None
    if engine is None:
        name = f"{scheme}:// " if re.fullmatch(PLAIN_WORD, scheme) else "this form "
        raise ConfigError(
            f"the URL: {name}is not supported: give sqlite:///…,"
            " postgresql://… or the path of a YAML file"
        )
    form, expected = _FORMS[engine]
    match = form.fullmatch(rest)
    if match is None:
        raise ConfigError(f"the URL: {expected}")
    parts = match.groupdict()
    query = parts.pop("query") or ""
    named = [(key, text) for key, text in parts.items() if text is not None]
    return _from_pairs([("type", engine), *named, *_query_pairs(query)])


def _query_pairs(query: str) -> list[tuple[str, str]]:
    pairs = [part.partition("=") for part in query.split("&") if part]
    if any(not equals for _, equals, _ in pairs):
        raise ConfigError("the URL: expected key=value&key=value after the question mark")
    return [(key, value) for key, _, value in pairs]


def _from_pairs(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[object, str]]:
    given: dict[str, tuple[object, str]] = {}
    for key, text in pairs:
        if key in given:
            raise ConfigError(f"the URL: {key_label(key)} is given twice: keep one")
        value = text[1:-1] if key == "host" and text.startswith("[") else text
        given[key] = (_percent_decoded(value, key), "the URL")
    return given


def _percent_decoded(text: str, key: str) -> str:
    from urllib.parse import unquote_to_bytes

    if not re.search(r"%(?![0-9A-Fa-f]{2})", text):
        try:
            return unquote_to_bytes(text).decode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            pass  # raised below, for both
    raise ConfigError(f"the URL: {key_label(key)}: expected UTF-8, percent-encoded (% itself: %25)")
