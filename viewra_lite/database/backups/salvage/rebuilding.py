"""A new database with the rows of a damaged one, completed from a backup.

Rows come from the damaged file first, because they are the newest. A backup gives those that the
damaged file is known to have had, and, where that cannot be known, all that the file has not.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple, Union

from ...sqlite.file import APPLICATION_ID
from ...sqlite.upkeep import make_ready
from .foreign_keys import repair
from .objects import Catalogue, Object, catalogue_of, completed
from .pages import TABLE_LEAF, Pages, is_page
from .shapes import Table, quoted, table_of
from .tables import DamagedKeyedTable, DamagedTable, orphans

_HISTORY = "viewra_migrations_"
_REBUILT = ("fts3", "fts4", "fts5")  # virtual tables that can be built again from their content
_SHADOWS = ("data", "idx", "docsize", "config", "segments", "segdir", "stat")

Damaged = Union[DamagedTable, DamagedKeyedTable]
Mend = Callable[[sqlite3.Connection], Mapping[str, int]]


class RecoveredTable(NamedTuple):
    """What became of the rows of a table."""

    name: str
    saved: int
    """Rows of the damaged file that the store has again."""
    from_backup: int = 0
    """Rows that the damaged file no longer has, and the backup had."""
    lost: int = 0
    """Rows that neither has, and those that were removed without_parent."""
    without_parent: int = 0
    """Rows, of those lost, that belonged to a lost row of another table."""
    made_again: int = 0
    """Rows, of those lost, that others refer to and that were made again from them."""
    detached: int = 0
    """Rows, of those saved, that no longer refer to a lost row of another table."""
    is_exact: bool = True
    """Whether the damaged file says how many rows there were: else more may be lost."""

    def without(self, removed: int, detached: int) -> RecoveredTable:
        """Return it after rows were removed because their parent is lost."""
        of_file = min(removed, self.saved)
        return self._replace(
            saved=self.saved - of_file,
            from_backup=self.from_backup - (removed - of_file),
            lost=self.lost + removed,
            without_parent=removed,
            detached=detached,
        )

    @property
    def is_whole(self) -> bool:
        """Whether all rows are there again."""
        return self.is_exact and not (self.lost or self.from_backup or self.detached)


class Rebuild:
    """One rebuilding, of a damaged database into a new file."""

    def __init__(self, pages: Pages, backup: Path | None, pattern: Path, mend: Mend) -> None:
        self._pages = pages
        self._backup, self._pattern = backup, pattern
        self._mend = mend
        self.findings: list[str] = []
        self._reports: dict[str, RecoveredTable] = {}

    def write(self, path: Path) -> list[RecoveredTable]:
        """Write the new database; return what became of each table."""
        pages = self._pages
        leaves = [n for n in range(1, pages.count + 1) if _is_leaf(pages[n])]
        with closing(sqlite3.connect(path, isolation_level=None)) as target:
            target.row_factory = sqlite3.Row
            _prepare(target, pages.auto_vacuum)
            catalogue = self._catalogue(leaves)
            tables = self._create(target, catalogue)
            self._copy(target, tables, leaves)
            self._copy_sequences(target, catalogue)
            for name, count in self._mend(target).items():
                self._reports[name] = self._reports[name]._replace(made_again=count)
            self._finish(target, catalogue)
        return [self._reports[name] for name in sorted(self._reports)]

    def _catalogue(self, leaves: Sequence[int]) -> Catalogue:
        found = catalogue_of(self._pages, leaves)
        if not found.is_whole:
            self.findings.append("the list of its tables is damaged, and was completed")
        for path in (self._backup, self._pattern):
            if path is not None and not found.is_whole:
                with closing(_reading(path)) as other:
                    rows = other.execute(
                        "SELECT type, name, tbl_name, rootpage, sql FROM sqlite_master"
                    )
                    found = completed(found, self._pages, [Object(*row) for row in rows])
        return found

    def _create(self, target: sqlite3.Connection, catalogue: Catalogue) -> list[Table]:
        virtual = [one.name for one in catalogue.objects.values() if _is_virtual(one)]
        shadows = {f"{name}_{end}" for name in virtual for end in (*_SHADOWS, "content")}
        for one in sorted(catalogue.objects.values(), key=_is_virtual, reverse=True):
            is_made = one.name.startswith("sqlite_") or one.name in shadows
            is_unique = one.type == "index" and str(one.sql)[:13].upper() == "CREATE UNIQUE"
            if one.sql and not is_made and (one.type == "table" or is_unique):
                self._run(target, one)
        names = [
            row["name"]
            for row in target.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        kept = {name for name in names if name in catalogue.objects} - set(virtual)
        kept -= {f"{name}_{end}" for name in virtual for end in _SHADOWS}
        return [
            table_of(target, catalogue.objects, name)
            for name in sorted(kept)
            if not name.startswith("sqlite_")
        ]

    def _run(self, target: sqlite3.Connection, one: Object) -> None:
        try:
            target.execute(str(one.sql))
        except sqlite3.Error as exc:
            self.findings.append(f"the {one.type} {one.name} could not be created: {exc}")

    def _copy(
        self, target: sqlite3.Connection, tables: Sequence[Table], leaves: Sequence[int]
    ) -> None:
        accepted: set[int] = set()
        incomplete: list[tuple[Table, Damaged]] = []
        for table in tables:
            damaged = _damaged(self._pages, table)
            inserted = _insert(target, table, damaged.rows())
            accepted |= damaged.accepted
            if not damaged.is_exact or _lost(target, table, damaged):
                incomplete.append((table, damaged))
            self._reports[table.name] = RecoveredTable(table.name, inserted)
        adrift = orphans(self._pages, leaves, accepted) if incomplete else []
        for table, damaged in incomplete:
            saved = self._reports[table.name].saved
            for number in adrift:
                saved += _insert(target, table, damaged.rows_on(number))
            lost = _lost(target, table, damaged)
            filled = self._fill(target, table, damaged, lost)
            self._reports[table.name] = RecoveredTable(
                table.name, saved, filled, max(0, len(lost) - filled), is_exact=damaged.is_exact
            )

    def _copy_sequences(self, target: sqlite3.Connection, catalogue: Catalogue) -> None:
        """Keep the ids of removed rows from being used again, where a table is AUTOINCREMENT."""
        name = "sqlite_sequence"
        if name in catalogue.objects:
            damaged = _damaged(self._pages, table_of(target, catalogue.objects, name))
            rows = [(table, last) for _, table, last in damaged.rows()]
            target.execute(f"DELETE FROM {name}")
            target.executemany(f"INSERT INTO {name} (name, seq) VALUES (?, ?)", rows)

    def _fill(
        self, target: sqlite3.Connection, table: Table, damaged: Damaged, lost: dict[int, int]
    ) -> int:
        """Add the rows of the backup that the damaged table may have had; return their number."""
        filled = 0
        for path in (self._backup, self._pattern):
            is_wanted = path is not self._pattern or table.name.startswith(_HISTORY)
            if path is not None and is_wanted:
                with closing(_reading(path)) as other:
                    rows = _rows_of(other, table)
                    filled += _insert(target, table, _wanted(rows, damaged, lost))
        return filled

    def _finish(self, target: sqlite3.Connection, catalogue: Catalogue) -> None:
        for name, (removed, detached) in repair(target).items():
            self._reports[name] = self._reports[name].without(removed, detached)
        existing = {row["name"] for row in target.execute("SELECT name FROM sqlite_master")}
        for kind in ("index", "view", "trigger"):
            for one in catalogue.objects.values():
                if one.type == kind and one.sql and one.name not in existing:
                    self._run(target, one)
        for one in catalogue.objects.values():
            if _is_virtual(one):
                with suppress(sqlite3.Error):  # the check of the whole file says it
                    table = quoted(one.name)
                    target.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")
        if "sqlite_stat1" in catalogue.objects:
            target.execute("ANALYZE")
        make_ready(target)


def _prepare(target: sqlite3.Connection, auto_vacuum: int) -> None:
    for pragma in (
        f"auto_vacuum={auto_vacuum}",
        "journal_mode=MEMORY",  # a crash begins anew, and the caller syncs the file
        "synchronous=OFF",
        "foreign_keys=OFF",
        f"application_id={APPLICATION_ID}",
    ):
        target.execute(f"PRAGMA {pragma}").fetchall()


def _damaged(pages: Pages, table: Table) -> Damaged:
    if table.key_places is None:
        return DamagedTable(pages, table.shape)
    return DamagedKeyedTable(pages, table.shape, table.key_places)


def _insert(target: sqlite3.Connection, table: Table, rows: Iterator[tuple[Any, ...]]) -> int:
    """Add the rows that the table's rules allow; return their number."""
    before = target.total_changes
    target.execute("BEGIN")
    target.executemany(table.insert(), map(table.parameters, rows))
    target.execute("COMMIT")
    return target.total_changes - before


def _lost(target: sqlite3.Connection, table: Table, damaged: Damaged) -> dict[int, int]:
    if table.key_places is not None:
        return {}
    rows = target.execute(f"SELECT _rowid_ AS number FROM {quoted(table.name)}")
    return damaged.lost({row["number"] for row in rows})


def _wanted(
    rows: Iterable[tuple[Any, ...]], damaged: Damaged, lost: dict[int, int]
) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a backup that are known to be lost, or all where that is not known."""
    if not damaged.is_exact:
        yield from ((None, *values) for _, *values in rows)
        return
    columns, keys = damaged.key_columns(), set(lost.values())
    for rowid, *values in rows if lost else ():
        key = hash(tuple(values[place] for place in columns))
        if key in keys if damaged.is_key_unique else lost.get(rowid) == key:
            yield (None, *values)


def _rows_of(other: sqlite3.Connection, table: Table) -> Iterator[tuple[Any, ...]]:
    """Yield the row id and the values of each row in another database, in this table's order."""
    other.row_factory = sqlite3.Row
    known = {row["name"] for row in other.execute(f"PRAGMA table_xinfo({quoted(table.name)})")}
    if not known:
        return
    columns = [quoted(name) if name in known else "NULL" for name in table.names]
    rowid = "_rowid_" if table.key_places is None else "NULL"
    query = f"SELECT {rowid}, {', '.join(columns)} FROM {quoted(table.name)}"
    missing = {place for place, name in enumerate(table.names) if name not in known}
    for rowid, *values in other.execute(query):
        for place in missing:
            values[place] = table.shape.defaults[place]
        yield (rowid, *values)


def _reading(path: Path) -> sqlite3.Connection:
    uri = f"{path.as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def _is_virtual(one: Object) -> bool:
    return one.type == "table" and str(one.sql)[:14].upper() == "CREATE VIRTUAL"


def _is_leaf(page: bytes) -> bool:
    return page[0] == TABLE_LEAF and is_page(page)
