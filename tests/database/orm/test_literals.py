"""SQL text that is shown: without the values that are written in it."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.database.orm.literals import parameters, without_literals

CANARY = "canary"
NAMES = {"films", "title"}


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SELECT 1, -2.5e3, .5, 0xff, t1.a2", "SELECT ?, -?, ?, ?, t1.a2"),
        ("SELECT 'it''s', x'ff' || N'a', U&'b'", "SELECT ?, ? || ?, ?"),
        ("SELECT E'it\\'s' , 'a\\', \"title\"", 'SELECT ? , ?, "title"'),
        ("SELECT $$a 'b' c$$, $of$ $$ ' $of$, $1", "SELECT ?, ?, $1"),
        ("SELECT a -- it's\n  , b /* c /* d */ ' */ , c", "SELECT a , b , c"),
        ("SELECT 'never ended", "SELECT ?"),
        ("SELECT a::text, b[1:2], ARRAY['x']", "SELECT a::text, b[?:?], ARRAY[?]"),
        ("SELECT [title], `title` FROM \"films\"", 'SELECT [title], `title` FROM "films"'),
        ('SELECT "t1"."any" AS "other" FROM "new" AS "t1"',) * 2,
        ('SELECT "title" FROM films WHERE title = "a text"',
         'SELECT "title" FROM films WHERE title = ?'),
        ("SELECT a FROM b WHERE c IN (?, ?2, :d, @e, $f, %s, %(g)s) AND h LIKE 'i%%'",
         "SELECT a FROM b WHERE c IN (?, ?2, :d, @e, $f, %s, %(g)s) AND h LIKE ?"),
    ],
)  # fmt: skip
def test_literals_are_replaced_and_all_else_stays(sql: str, shown: str) -> None:
    assert without_literals(sql, NAMES) == shown


def test_parameters_are_found_where_they_are_no_text() -> None:
    sql = "SELECT '?', \"title\", ?, ?3, :a -- ?\n FROM films WHERE b = %(c)s AND d = '%s'"
    assert parameters(sql) == ["?", "?3", ":a", "%(c)s"]


VALUES = st.text(st.sampled_from("ab'\"\\-/*$?%[]`.:;\n é"), max_size=12).map(
    lambda text: f"{text[:6]}{CANARY}{text[6:]}"
)
LITERALS = VALUES.map(lambda text: "'" + text.replace("'", "''") + "'")
# Where nothing has this name, SQLite reads double quotes as a text.
QUOTED = VALUES.map(lambda text: '"' + text.replace('"', '""') + '"')
COMMENTS = VALUES.map(lambda text: f"/*{text.replace('*/', '')}*/ 1")
NOTES = VALUES.map(lambda text: "--" + text.replace("\n", "") + "\n 1")


@given(st.lists(LITERALS | QUOTED | COMMENTS | NOTES, min_size=1, max_size=6))
def test_no_value_is_left_in_what_sqlite_accepts(values: list[str]) -> None:
    sql = f"SELECT {', '.join(values)}"
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(sql)
    except sqlite3.OperationalError:
        return  # "no such column": this SQLite never reads double quotes as a text
    finally:
        connection.close()

    shown = without_literals(sql, NAMES)
    assert CANARY not in shown
    assert without_literals(shown, NAMES) == shown
