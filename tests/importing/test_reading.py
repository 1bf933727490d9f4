"""Reading: exports as other programs write them, and what no program would."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viewra_lite import WatchedRecord
from viewra_lite.errors import InvalidValueError
from viewra_lite.importing import formats
from viewra_lite.importing.reading import MOST_BYTES, parts_of
from viewra_lite.importing.record import COLUMNS

NAMES = [name for name in WatchedRecord.__dataclass_fields__ if name not in ("number", "problem")]
UTC = timezone.utc


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return tmp_path / "export"


def read(export: Path, content: str | bytes) -> list[WatchedRecord]:
    export.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_watched(export)


def read_watched(path: str | os.PathLike[str]) -> list[WatchedRecord]:
    return formats.records_of(parts_of(path), os.fspath(path), None, UTC)[1]


def said(record: WatchedRecord) -> dict[str, Any]:
    """Return what a record says."""
    return {name: getattr(record, name) for name in NAMES if getattr(record, name) is not None}


# Formats


@pytest.mark.parametrize(
    "content",
    [
        "user,title,year\nann,Dune,2021\n",
        "user;title;year\r\nann;Dune;2021\r\n",
        "user\ttitle\tyear\nann\tDune\t2021",
        "user\ttitle\tyear\nann\tDune\t2021\n".encode("utf-16"),
        "\ufeffUser,Title,Year\nann,Dune,2021\n",
        "\n\nuser , TITLE, Year \n\n ann , Dune,2021\n,,\n",
        '"user","title","year"\n"ann","Dune",2021',
        "year,rating,title,Username\n2021,5,Dune,ann\n",
        "user,title,year,\nann,Dune,2021,,,\n",
        "user_id,Name,release-year\nann,Dune,2021.0\n",
        '[{"user": "ann", "title": "Dune", "year": 2021}]',
        ' {"n": 1, "plays": [{"User": "ann", "name": "Dune", "year": "2021", "ids": {"a": []}}]}',
    ],
)
def test_csv_and_json_of_many_kinds_say_the_same(export: Path, content: str | bytes) -> None:
    (record,) = read(export, content)
    assert said(record) == {"user": "ann", "title": "Dune", "year": 2021}
    assert record.problem is None


def test_every_name_of_a_column_is_read(export: Path) -> None:
    values = {
        "user": "ann",
        "title": "Lies",
        "year": 2017,
        "show": "Dark",
        "season": 1,
        "episode": 2,
        "artist": "Kreidler",
        "album": "ABC",
        "path": "/films/x.mkv",
        "watched_at": datetime(2024, 5, 31, tzinfo=UTC),
        "position": 90.5,
        "percent": 12.5,
        "watched_s": 60.0,
        "completed": True,
        "play_count": 3,
        "kind": "movie",
        "tmdb_id": 5,
        "imdb_id": "tt0113277",
        "tvdb_id": 6,
        "musicbrainz_id": "b1a9c0e9",
        "show_tmdb_id": 7,
        "show_imdb_id": "tt5753856",
        "show_tvdb_id": 8,
        "is_day": True,
        "left_out": "a plan",
    }
    assert list(values) == NAMES
    for name, aliases in COLUMNS.items():
        for alias in aliases:
            text = "2024-05-31" if name == "watched_at" else str(values[name])
            (record,) = read(
                export,
                f"path,{alias.replace('_', ' ').title()}\nx,{text}\n"
                if name != "path"
                else f"{alias}\n{text}\n",
            )
            assert said(record)[name] == values[name], alias


def test_rows_are_numbered_by_their_lines_and_json_by_its_objects(export: Path) -> None:
    rows = read(export, 'title\nA\n\n"B\nand more"\nC\n')
    assert [(row.number, row.title) for row in rows] == [(2, "A"), (4, "B\nand more"), (6, "C")]
    rows = read(export, '[{"title": "A"}, 5, {"title": "B"}]')
    assert [(row.number, row.title, row.problem is None) for row in rows] == [
        (1, "A", True),
        (2, None, False),
        (3, "B", True),
    ]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-31", datetime(2024, 5, 31)),
        ("2024-05-31T20:15", datetime(2024, 5, 31, 20, 15)),
        ("2024-05-31 20:15:30", datetime(2024, 5, 31, 20, 15, 30)),
        ("2024-05-31T20:15:30Z", datetime(2024, 5, 31, 20, 15, 30)),
        ("2024-05-31T20:15:30.1234567Z", datetime(2024, 5, 31, 20, 15, 30, 123456)),
        ("2024-05-31T20:15:30.5+02:00", datetime(2024, 5, 31, 18, 15, 30, 500_000)),
        ("2024-05-31T20:15:30-0530", datetime(2024, 6, 1, 1, 45, 30)),
        ("2024-05-31 20:15 +02", datetime(2024, 5, 31, 18, 15)),
        ("1717186530", datetime(2024, 5, 31, 20, 15, 30)),
        ("1717186530000", datetime(2024, 5, 31, 20, 15, 30)),
        ("1717186530.25", datetime(2024, 5, 31, 20, 15, 30, 250_000)),
    ],
)
def test_times_are_iso_8601_or_unix_and_without_a_zone_utc(
    export: Path, text: str, moment: datetime
) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert read(export, f"title,date\nA,{text}\n")[0].watched_at == moment
    assert read(export, json.dumps([{"title": "A", "date": text}]))[0].watched_at == moment
    if text[4] != "-":
        assert read(export, f'[{{"title": "A", "date": {text}}}]')[0].watched_at == moment


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("position", "95", 95.0),
        ("position", "95.5", 95.5),
        ("position", "1:35", 95.0),
        ("position", "0:01:35", 95.0),
        ("position", "2:00:00.5", 7200.5),
        ("position", "95:00", 5700.0),
        ("completed", "YES", True),
        ("completed", "n", False),
        ("completed", "1", True),
        ("completed", "False", False),
        ("season", "01", 1),
        ("year", " 1999 ", 1999),
    ],
)
def test_values_are_read_as_people_write_them(
    export: Path, column: str, text: str, value: Any
) -> None:
    assert getattr(read(export, f"title,{column}\nA,{text}\n")[0], column) == value


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("watched_at", "2023-02-30"),
        ("watched_at", "31.05.2024"),
        ("watched_at", "yesterday"),
        ("watched_at", "2024"),
        ("watched_at", "0"),
        ("watched_at", "-5"),
        ("watched_at", "9" * 5000),
        ("watched_at", "2024-05-31T25:00"),
        ("watched_at", "2024-05-31T20:15+99:00"),
        ("watched_at", "0001-01-01T00:00+10:00"),
        ("watched_at", "99999999999999999999"),
        ("position", "-1"),
        ("position", "1:99"),
        ("position", "1:70:00"),
        ("position", "nan"),
        ("position", "inf"),
        ("position", "1e5"),
        ("position", "9" * 400),
        ("completed", "maybe"),
        ("completed", "2"),
        ("year", "MMXX"),
        ("year", "20.5"),
        ("year", "2147483648"),
        ("season", "-1"),
        ("episode", "²"),
        ("title", "x" * 5000),
    ],
)
def test_a_value_that_cannot_be_is_that_rows_problem_only(
    export: Path, column: str, text: str
) -> None:
    bad, good = read(export, f"path,{column}\nx.mkv,{text}\ny.mkv,\n")
    assert bad.problem is not None and bad.problem.startswith(f"{column} cannot be ")
    assert len(bad.problem) < 250
    assert (bad.path, getattr(bad, column)) == ("x.mkv", None)
    assert said(good) == {"path": "y.mkv"} and good.problem is None


def test_values_of_the_wrong_type_are_that_objects_problem(export: Path) -> None:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    wrong = [
        {"title": ["Dune"]},
        {"title": {"x": deep}},
        {"title": deep},
        {"title": True},
        {"title": "A", "year": True},
        {"title": "A", "position": [1]},
        {"title": "A", "year": 1.5},
        {"title": "A", "watched": {}},
        {"title": "A", "date": True},
        {"title": "A", "date": 2024},
        {"title": 10**4000},
        {"title": "A", "position": 10**4000},
    ]
    records = read(export, json.dumps(wrong))
    assert len(records) == len(wrong) and all(record.problem for record in records)
    assert read(export, '[{"title": "A", "position": 1e999}]')[0].problem
    assert read(export, '[{"title": 1917}]')[0].title == "1917"


def test_a_row_with_more_columns_than_the_header_is_that_rows_problem(export: Path) -> None:
    bad, good = read(export, "title,year\nGood, Bad,1966\nUgly,1966\n")
    assert "has 3 columns, but the first line names 2" in (bad.problem or "")
    assert good.title == "Ugly"


# Files that cannot be read


@pytest.mark.parametrize(
    ("content", "where", "why"),
    [
        ("", "", "is empty"),
        ("\n\n", "", "is empty"),
        ("\ufeff", "", "is empty"),
        ("a,b\n1,2\n", "line 1", "must name title, show"),
        ("user,year\nann,2021\n", "line 1", "no column identifies"),
        ("\ntitle,date,Title\nA,,B\n", "line 2", "columns 1 and 3 are both 'title'"),
        ('title\nA\n"B\nC\nD\n', "line 3", "not valid CSV"),
        ('title\n"A"B\n', "line 2", "not valid CSV"),
        ("title\nA\nB\0\n", "line 3", "NUL"),
        (b"title\nA\nCaf\xe9\n", "line 3", "not UTF-8"),
        (b"\xff\xfet\0i", "", "not UTF-16"),
        (b"\0t\0i", "line 1", "NUL"),
        ("title\n" + "x" * 200_000, "line 2", "CSV"),
        ('[{"title": "A"},\n{"title": ]', "line 2, column 11", "not valid JSON"),
        ('{"a": 1}', "", "0 lists"),
        ('{"a": [], "b": []}', "", "2 lists"),
        ("[", "line 1, column 2", "JSON"),
        ('[{"title": NaN}]', "", "NaN is not a JSON number"),
        ("[" * 200_000, "", "nested too deeply"),
        ('{"a":' * 200_000, "", "nested too deeply"),
        ('[{"year": ' + "9" * 5000 + "}]", "", "JSON"),
        ("[] []", "line 1, column 4", "Extra data"),
    ],
)
def test_a_file_that_cannot_be_read_says_where_and_why(
    export: Path, content: str | bytes, where: str, why: str
) -> None:
    with pytest.raises(InvalidValueError) as refused:
        read(export, content)
    text = str(refused.value)
    assert text.startswith(f"{export}, {where}: " if where else f"{export}: ")
    assert why in text and len(text) < len(str(export)) + 250


def test_what_is_no_file_of_that_size_says_why(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    with open(tmp_path / "huge", "wb") as file:
        file.truncate(MOST_BYTES + 1)
    for name, why in (
        ("absent", "it does not exist"),
        (".", "it is a folder"),
        ("x" * 300, "too long"),
        ("fifo", "not a regular file"),
        ("loop", "form a loop"),
        ("huge", "larger than 32 MiB"),
        ("a\0b", "file names cannot contain"),
        ("\ud800", "file names cannot contain"),
        ("huge/x", "not a folder"),
    ):
        with pytest.raises(InvalidValueError, match=why):
            read_watched(os.path.join(tmp_path, name))


def test_more_rows_than_a_home_has_are_refused(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("viewra_lite.importing.formats.MOST_ROWS", 2)
    assert len(read(export, "title\nA\nB\n")) == 2
    for content in ("title\nA\nB\nC\n", "[{}, {}, {}]"):
        with pytest.raises(InvalidValueError, match="more than 2 rows: split it"):
            read(export, content)


# Anything at all

FRAGMENTS = [
    "title",
    "user",
    "date",
    "path",
    ",",
    ";",
    "\t",
    '"',
    "\n",
    "\r",
    "[",
    "]",
    "{",
    "}",
    ":",
    "1",
    "-",
    "null",
    "true",
    "\\",
    "\0",
    "\ufeff",
    "é",
    "2024-05-31",
    " ",
]
WORD = (
    st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=20)
    .map(lambda text: text.strip())
    .filter(bool)
)
TIMES = st.datetimes(
    datetime(1971, 2, 1),
    datetime(2030, 1, 1),
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=-9, minutes=-30)), timezone(timedelta(hours=14))]
    ),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"title": WORD},
        optional={
            "user": WORD,
            "show": WORD,
            "path": WORD,
            "artist": WORD,
            "album": WORD,
            "year": st.integers(0, 9999),
            "season": st.integers(0, 9999),
            "episode": st.integers(0, 9999),
            "play_count": st.integers(0, 100),
            "completed": st.booleans(),
            "watched_at": TIMES,
            "position": st.integers(0, 10**6).map(lambda number: number / 8),
        },
    ),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    content=st.one_of(
        st.binary(max_size=100),
        st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join),
        st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(
            lambda parts: "title,date\n" + "".join(parts)
        ),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
            lambda inner: (
                st.lists(inner, max_size=4)
                | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=4)
            ),
        ).map(json.dumps),
    )
)
def test_hostile_content_is_refused_or_read_and_nothing_else(
    export: Path, content: str | bytes
) -> None:
    try:
        records = read(export, content)
    except InvalidValueError as exc:
        assert str(exc).startswith(str(export))
    else:
        assert all(isinstance(record, WatchedRecord) for record in records)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, divider=st.sampled_from(",;\t"), bom=st.booleans())
def test_what_is_written_is_read(
    export: Path, rows: list[dict[str, Any]], divider: str, bom: bool
) -> None:
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, NAMES, delimiter=divider)
    writer.writeheader()
    writer.writerows(rows)
    for content in (
        written.getvalue(),
        json.dumps({"plays": rows}, default=lambda moment: moment.isoformat()),
    ):
        records = read(export, ("\ufeff" if bom else "") + content)
        assert [said(record) for record in records] == rows
        assert not any(record.problem for record in records)
