"""The tables as SQLAlchemy knows them, and its engine; for Core and for the ORM."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import event

from .contender import set_pragmas
from .tables import TABLES, key_of


class Moment(sqlalchemy.types.TypeDecorator[datetime]):
    """An aware datetime as text; SQLAlchemy's own type would lose the time zone."""

    impl = sqlalchemy.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value if value is None else value.isoformat(" ", "microseconds")

    def process_result_value(self, value: Any, dialect: Any) -> Any:
        return value if value is None else datetime.fromisoformat(value)


_TYPES: dict[str, Any] = {
    "text": sqlalchemy.Text,
    "integer": sqlalchemy.BigInteger,
    "real": sqlalchemy.Float,
    "boolean": sqlalchemy.Boolean,
    "moment": Moment,
    "date": sqlalchemy.Date,
    "json": sqlalchemy.JSON,
}
metadata = sqlalchemy.MetaData()


def _table(name: str) -> sqlalchemy.Table:
    return sqlalchemy.Table(
        name,
        metadata,
        *(
            sqlalchemy.Column(
                column,
                _TYPES[kind](),
                *(
                    [sqlalchemy.ForeignKey("media_files.id")]
                    if (name, column) == ("movies", "media_file_id")
                    else []
                ),
                primary_key=column in key_of(name),
                nullable=null,
            )
            for column, (kind, null) in TABLES[name].items()
        ),
    )


FILES, MOVIES, SESSIONS, PROGRESS, PLAYS = map(_table, TABLES)


def engine(path: str) -> sqlalchemy.Engine:
    """Return an engine whose every transaction is immediate where it says so."""
    made = sqlalchemy.create_engine(
        f"sqlite:///{path}", pool_size=16, connect_args={"check_same_thread": False}
    )

    @event.listens_for(made, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN by itself, see below
        set_pragmas(connection)

    @event.listens_for(made, "begin")
    def begun(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return made
