"""SQL text without the values that are written in it."""

from __future__ import annotations

import re
from collections.abc import Collection

_TOKEN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<line>--[^\n]*)
    | (?P<comment>/\*)
    | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z))
    | (?P<text>(?:[xXbBnN]|[uU]&)?'(?:[^']|'')*(?:'|\Z))
    | (?P<untagged>\$\$.*?(?:\$\$|\Z))
    | (?P<dollar>\$(?P<tag>[^\W\d]\w*)\$.*?(?:\$(?P=tag)\$|\Z))
    | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*(?:"|\Z))
    | (?P<name>\[[^\W\d][\w ]*\]|`[^\W\d][\w ]*`)
    | (?P<parameter>%\(\w+\)[sbt]|%[sbt%]|\?\d*|\$\d+|[:@$][^\W\d]\w*)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<number>0[xX][0-9a-fA-F_]+|(?:\d[\d_]*)?\.?\d[\d_]*(?:[eE][+-]?\d+)?\.?)
    | (?P<other>::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_LITERALS = ("escaped", "text", "dollar", "untagged", "number")
_MADE_BY_PEEWEE = re.compile(r"t\d+")
_BEFORE_NAMES = {"AS", "FROM", "INTO", "JOIN", "TABLE", "UPDATE", "WITH", "."}


def without_literals(sql: str, names: Collection[str] | None = None, mark: str = "?") -> str:
    """Return SQL with each literal replaced, without comments, on one line.

    names: those of tables, columns and indexes. SQLite reads "a word" in double quotes as text if
    nothing has this name; None where it never does.
    """
    tokens = _tokens(sql)
    parts: list[str] = []
    for number, (kind, text) in enumerate(tokens):
        if kind in _LITERALS or kind == "quoted" and not _is_name(tokens, number, names):
            text = mark
        parts.append(text)
    return "".join(parts).strip()


def parameters(sql: str) -> list[str]:
    """Return the parameters of a statement as they are written, in order."""
    return [text for kind, text in _tokens(sql) if kind == "parameter"]


def _tokens(sql: str) -> list[tuple[str, str]]:
    """Return the tokens; white space and comments are one space."""
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(sql):
        match = _TOKEN.match(sql, at)
        assert match is not None and match.lastgroup is not None, "the last branch takes any sign"
        kind, at = match.lastgroup, match.end()
        if kind == "comment":
            at = _end_of_comment(sql, at)
        if kind not in ("space", "line", "comment"):
            found.append((kind, match[0]))
        elif found and found[-1][1] != " ":
            found.append(("space", " "))
    return found


def _end_of_comment(sql: str, at: int) -> int:
    """Return where a comment ends; on PostgreSQL they nest."""
    depth = 1
    while depth:
        match = _COMMENT.search(sql, at)
        if match is None:
            return len(sql)
        depth += 1 if match[0] == "/*" else -1
        at = match.end()
    return at


def _is_name(tokens: list[tuple[str, str]], number: int, names: Collection[str] | None) -> bool:
    if names is None:
        return True
    name = tokens[number][1].strip('"').replace('""', '"')
    before = next((text for _, text in tokens[:number][::-1] if text != " "), "")
    after = next((text for _, text in tokens[number + 1 :] if text != " "), "")
    return (
        name in names
        or bool(_MADE_BY_PEEWEE.fullmatch(name))
        or before.upper() in _BEFORE_NAMES
        or after == "."
    )
