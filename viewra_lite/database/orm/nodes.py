"""Nodes of our own for Peewee's queries: each engine says what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import peewee

from .fields import PLAIN_FIELDS, PathField, stored_path, truth_value, without_nul

Convert = Callable[[Any], Any]
Groups = Sequence[Sequence[Sequence[str]]]


class Placeholder(peewee.ColumnBase):
    """A value that is known only when the statement runs."""

    def __init__(self, position: int, convert: Convert | None = None) -> None:
        self.position = position
        self.convert = convert

    def __sql__(self, ctx: Any) -> Any:
        ctx._values.append(Slot(self.position, self.convert or _compared(ctx.state.converter)))
        return ctx.literal(ctx.state.param or "?")


class Typed(peewee.ColumnBase):
    """A node whose value is of a column's kind, where nothing in the query says so.

    A placeholder in it is stored as that column's values are; what it selects is read as they are.
    `sources` are the columns that it is computed from: one of them holds what cannot be read.
    """

    def __init__(self, node: Any, field: Any, *sources: Any) -> None:
        self.node = node
        self.field = field
        self.sources = sources

    def __sql__(self, ctx: Any) -> Any:
        node = self.node
        if isinstance(node, Placeholder):
            node = Placeholder(node.position, assigned(self.field))
        return ctx.sql(node)


class OneOf(peewee.ColumnBase):
    """True where a column is in a list given as one parameter, whatever its length."""

    def __init__(self, field: Any, values: Placeholder) -> None:
        self.field = field
        self.values = values

    def __sql__(self, ctx: Any) -> Any:
        before, after, convert = ctx.state.one_of
        if isinstance(self.field, PathField):
            convert = partial(_paths, convert)
        ctx.sql(self.field).literal(before)
        ctx.sql(Placeholder(self.values.position, convert))
        return ctx.literal(after)


def _paths(convert: Convert, paths: list[str]) -> Any:
    return convert(paths if all(map(str.isascii, paths)) else list(map(stored_path, paths)))


class MovedPath(peewee.ColumnBase):
    """A column of paths below one folder, as they are below another."""

    def __init__(self, field: Any, old: str, new: str) -> None:
        tail = peewee.fn.SUBSTR(field, len(stored_path(old)) + 1, coerce=False)
        self.node = peewee.Value(stored_path(new), converter=False).concat(tail)

    def __sql__(self, ctx: Any) -> Any:
        return ctx.sql(self.node)


class UtcDay(peewee.ColumnBase):
    """The day, in UTC, of a column of moments."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __sql__(self, ctx: Any) -> Any:
        before, after = ctx.state.utc_day
        return ctx.literal(before).sql(self.field).literal(after)


class NotLocked(peewee.ColumnBase):
    """What a subquery selects, but for rows that another transaction is changing.

    The rows that it selects are locked in turn. Where one transaction writes at a time, as on
    SQLite, there is nothing to pass over.
    """

    def __init__(self, query: Any) -> None:
        self.query = query

    def __sql__(self, ctx: Any) -> Any:
        query = self.query
        return ctx.sql(query.for_update(skip_locked=True) if ctx.state.for_update else query)


class MatchesWords(peewee.ColumnBase):
    """True for the first rows, in the order of their key, that hold all words of a text.

    The words are groups, of which all must match; a group is a choice of ways to write it, and a
    way is words that all stand in the row, each at least as the beginning of one, or as it is
    where it begins with "#". `index` names the full-text table of SQLite and `column` the
    tsvector of PostgreSQL.
    """

    def __init__(
        self, key: Any, *, index: str, column: str, words: Placeholder, most: Placeholder
    ) -> None:
        self.key = key
        self.names = {
            "key": key.column_name,
            "table": key.model._meta.table_name,
            "index": index,
            "column": column,
        }
        self.words = words
        self.most = most

    def __sql__(self, ctx: Any) -> Any:
        before, between, convert = ctx.state.matches_words
        ctx.sql(self.key).literal(before.format(**self.names))
        ctx.sql(Placeholder(self.words.position, convert))
        ctx.literal(between.format(**self.names))
        return ctx.sql(self.most).literal(")")


def words_query(groups: Groups, word: str, whole: str, both: str, either: str) -> str:
    """Write groups of words in an engine's full-text language; words must need no escaping."""
    return both.join(
        "("
        + either.join(
            "(" + both.join((whole if text[0] == "#" else word).format(text) for text in way) + ")"
            for way in ways
        )
        + ")"
        for ways in groups
    )


class Slot:
    """Where a value goes that is known only when the statement runs."""

    def __init__(self, position: int, convert: Convert | None) -> None:
        self.position = position
        self.convert = convert


def assigned(field: Any) -> Convert:
    """Return what makes a value fit to be stored in a column, the same on both engines."""
    if isinstance(field, peewee.ForeignKeyField):
        return assigned(field.rel_field)
    if isinstance(field, peewee.BooleanField):
        return truth_value
    convert: Convert = PLAIN_FIELDS.get(type(field)) or field.db_value
    return convert


def _compared(convert: Convert | None) -> Convert | None:
    """Return what makes a value fit to be compared with a column."""
    owner = getattr(convert, "__self__", None)
    if isinstance(owner, peewee.FieldAlias):
        owner = owner.field
    if isinstance(owner, peewee.ForeignKeyField):
        owner = owner.rel_field
    if type(owner) is peewee.TextField:
        return without_nul
    return None if type(owner) in PLAIN_FIELDS else convert
