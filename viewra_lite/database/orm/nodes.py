"""Our own nodes for Peewee's queries; each engine defines their SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import peewee

from . import internals

from .fields import PLAIN_FIELDS, PathField, stored_path, truth_value, without_nul

Convert = Callable[[Any], Any]
Groups = Sequence[Sequence[Sequence[str]]]


class Placeholder(peewee.ColumnBase):
    """A parameter, whose value is supplied when the statement runs."""

    def __init__(self, position: int, convert: Convert | None = None) -> None:
        self.position = position
        self.convert = convert

    def __sql__(self, ctx: Any) -> Any:
        slot = Slot(self.position, self.convert or _compared(ctx.state.converter))
        internals.add_parameter(ctx, slot)
        return ctx.literal(ctx.state.param or "?")


class Typed(peewee.ColumnBase):
    """A node with the type of a column, where Peewee cannot infer it.

    A placeholder in it is converted like a value of that column, and its result is read like one.
    `sources` are the columns that it is computed from; an unreadable value comes from one of them.
    """

    def __init__(self, node: object, field: object, *sources: object) -> None:
        self.node = node
        self.field = field
        self.sources = sources

    def __sql__(self, ctx: Any) -> Any:
        node = self.node
        if isinstance(node, Placeholder):
            node = Placeholder(node.position, assigned(self.field))
        return ctx.sql(node)


class Together(peewee.ColumnBase):
    """Columns that are one field of a query's rows: a tuple of their values."""

    def __init__(self, *columns: peewee.ColumnBase) -> None:
        self.columns = columns

    def __sql__(self, ctx: Any) -> Any:
        return ctx.sql(peewee.CommaNodeList(self.columns))


class OneOf(peewee.ColumnBase):
    """True if a column is in a list, which is a single parameter of any length."""

    def __init__(self, field: object, values: Placeholder) -> None:
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
    """A column of paths, with their folder replaced by another one."""

    def __init__(self, field: object, old: str, new: str) -> None:
        tail = peewee.fn.SUBSTR(field, len(stored_path(old)) + 1, coerce=False)
        self.node = peewee.Value(stored_path(new), converter=False).concat(tail)

    def __sql__(self, ctx: Any) -> Any:
        return ctx.sql(self.node)


class UtcDay(peewee.ColumnBase):
    """The day, in UTC, of a column of moments."""

    def __init__(self, field: object) -> None:
        self.field = field

    def __sql__(self, ctx: Any) -> Any:
        before, after = ctx.state.utc_day
        return ctx.literal(before).sql(self.field).literal(after)


class NotLocked(peewee.ColumnBase):
    """A subquery without the rows that another transaction has locked (SKIP LOCKED).

    The selected rows are locked. On SQLite, with one writing transaction at a time, it is the plain
    subquery.
    """

    def __init__(self, query: Any) -> None:
        self.query = query

    def __sql__(self, ctx: Any) -> Any:
        query = self.query
        return ctx.sql(query.for_update(skip_locked=True) if ctx.state.for_update else query)


class MatchesWords(peewee.ColumnBase):
    """True for the first rows, in the order of their key, that match all words of a text.

    The words are a list of groups, and every group must match. A group is a list of spellings, of
    which one must match. A spelling is a list of words that must all be in the row: as the prefix
    of a word, or as a whole word if it begins with "#". `index` is the full-text table of SQLite
    and `column` the tsvector of PostgreSQL.
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
    """Return groups of words as a full-text query; the words must not need escaping."""
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
    """The position of an argument in the parameters of compiled SQL."""

    def __init__(self, position: int, convert: Convert | None) -> None:
        self.position = position
        self.convert = convert


def assigned(field: Any) -> Convert:
    """Return the conversion of a value for storing it in a column, the same on both engines."""
    if isinstance(field, peewee.ForeignKeyField):
        return assigned(field.rel_field)
    if isinstance(field, peewee.BooleanField):
        return truth_value
    convert: Convert = PLAIN_FIELDS.get(type(field)) or field.db_value
    return convert


def _compared(convert: Convert | None) -> Convert | None:
    """Return the conversion of a value for comparing it with a column, or None."""
    owner = getattr(convert, "__self__", None)
    if isinstance(owner, peewee.FieldAlias):
        owner = owner.field
    if isinstance(owner, peewee.ForeignKeyField):
        owner = owner.rel_field
    if type(owner) is peewee.TextField:
        return without_nul
    return None if type(owner) in PLAIN_FIELDS else convert
