"""The queries of the events module: builders that run nothing."""

from __future__ import annotations

from ..database.orm.nodes import Placeholder
from ..database.orm.statements import Query, statement
from ..database.transactions.inserts import Insert
from .models import Change

insert_changes = Insert(Change.event, Change.facts, Change.created_at)


@statement
def change_by_id(id: Placeholder) -> Query:
    return Change.select().where(Change.id == id)


@statement
def newest_change() -> Query:
    return Change.select().order_by(Change.id.desc()).limit(1)


@statement
def changes_after(id: Placeholder, limit: Placeholder) -> Query:
    return Change.select().where(Change.id > id).order_by(Change.id).limit(limit)


@statement
def oldest_changes(limit: Placeholder) -> Query:
    return Change.select(Change.id, Change.created_at).order_by(Change.id).limit(limit).tuples()


@statement
def delete_changes_before(id: Placeholder) -> Query:
    return Change.delete().where(Change.id < id)
