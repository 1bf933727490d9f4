"""Hostile requests: nothing is written, nothing secret is read, and no answer is too large."""

from __future__ import annotations

import http.client
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.torture import tries
from tests.support.web import serving
from viewra_lite import Store
from viewra_lite.plugins import Plugin

SECRET = "s3cret-of-a-plugin"
MOST_MIB = 100
BOMBS = [
    "SELECT printf('%.*c', 900000000, 'x')",
    "SELECT hex(zeroblob(900000000))",
    "SELECT group_concat(hex(randomblob(1000000))) FROM changes, changes AS more",
    "SELECT replace(hex(zeroblob(100000)), '0', hex(zeroblob(100000)))",
    "WITH RECURSIVE n(t) AS (SELECT 'x' UNION ALL SELECT t || t FROM n) SELECT t FROM n",
    "SELECT quote(zeroblob(900000000))",
    "SELECT char(120) || printf('%0900000000d', 1)",
    "SELECT json_group_array(hex(randomblob(100000))) FROM changes, changes AS more",
    "SELECT hex(zeroblob(100000)) FROM changes, changes AS more",
    "SELECT json_group_object(id, hex(randomblob(100000))) FROM changes",
    "SELECT DISTINCT hex(randomblob(100000)) FROM changes",
]
ENDLESS = [
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "SELECT * FROM changes, changes AS a, changes AS b, changes AS c ORDER BY random()",
    "SELECT count(DISTINCT hex(randomblob(100000))) FROM changes, changes AS a, changes AS b",
    "SELECT instr(hex(zeroblob(130000)), hex(zeroblob(60000)) || 'x') FROM changes, changes AS a",
    "SELECT max(hex(randomblob(100000))) OVER (ORDER BY a.id) FROM changes, changes AS a",
]
WRITES = [
    "DELETE FROM movies",
    "UPDATE media_files SET size = 0",
    "INSERT INTO changes (event) VALUES ('x')",
    "DROP TABLE movies",
    "CREATE TABLE t (a)",
    "CREATE TEMP TABLE t (a)",
    "CREATE TRIGGER t AFTER INSERT ON changes BEGIN DELETE FROM movies; END",
    "ALTER TABLE movies ADD COLUMN a",
    "VACUUM",
    "VACUUM INTO '{folder}/copy.db'",
    "REINDEX",
    "ANALYZE",
    "ATTACH '{folder}/other.db' AS other",
    "ATTACH ':memory:' AS other",
    "DETACH main",
    "PRAGMA journal_mode=DELETE",
    "PRAGMA writable_schema=1",
    "PRAGMA query_only=0",
    "PRAGMA trusted_schema=1",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA mmap_size=100000000000",
    "PRAGMA temp_store_directory='/'",
    "BEGIN IMMEDIATE",
    "SAVEPOINT s",
    "COMMIT",
    "SELECT load_extension('x')",
    "SELECT fts3_tokenizer('simple')",
    "SELECT writefile('{folder}/written', 'x')",
    "SELECT edit('x')",
    "WITH x AS (SELECT 1) DELETE FROM movies",
    "WITH x AS (SELECT 1) INSERT INTO changes (event) SELECT 'x' FROM x",
    "SELECT 1; DELETE FROM movies",
    "REPLACE INTO changes (id, event) VALUES (1, 'x')",
    "INSERT INTO search_index (search_index) VALUES ('delete-all')",
    "EXPLAIN DELETE FROM movies",
    "/* SELECT */ DELETE FROM movies",
    "SELECT * FROM pragma_journal_mode('delete')",
    "SELECT * FROM pragma_wal_checkpoint",
]
SECRETS = [
    "SELECT config FROM plugins",
    "SELECT * FROM plugins",
    "SELECT hex(config), quote(config), length(config) FROM plugins",
    "SELECT p.CONFIG FROM main.PLUGINS AS p",
    'SELECT "config" FROM (SELECT * FROM plugins)',
    "SELECT json_extract(config, '$.key') FROM plugins",
    "SELECT id FROM plugins WHERE config LIKE '%s3cret%'",
    "SELECT id FROM plugins WHERE instr(config, 's3cret')",
    "SELECT max(config) FROM plugins GROUP BY id",
    "WITH x(a, b) AS (SELECT id, config FROM plugins) SELECT b FROM x",
    "SELECT value FROM plugin_storage",
    "SELECT data FROM sqlite_dbpage",
    "SELECT * FROM dbstat",
]


class Keeper(Plugin):
    id = "keeper"
    config_schema = {"type": "object", "properties": {"key": {"type": "string", "writeOnly": True}}}

    def run(self, now: object) -> None:
        self.storage["token"] = SECRET


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two movies, some hundred changes, and a plugin's secrets."""
    folder = tmp_path_factory.mktemp("web")
    with Store.open(f"sqlite:///{folder}/viewra.db") as store:
        (folder / "films").mkdir()
        library = store.media.add_library("Films", folder / "films", "movie")
        for number in range(300):
            store.media.save_movie(library.id, title=f"Film {number % 2}", year=1900 + number)
        store.plugins.register(Keeper)
        store.plugins.configure("keeper", {"key": SECRET})
        store.plugins.enable("keeper")
        store.plugins.run_due()
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[tuple[int, int]]:
    with serving(f"sqlite:///{folder}/viewra.db") as started:
        yield started


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, headers={"Host": "localhost", **headers})
        answer = connection.getresponse()
        return answer.status, answer.read()


def query(port: int, sql: str) -> tuple[int, bytes]:
    return ask(port, f"/db/viewra.json?sql={quote(sql)}")


def dump(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "viewra.db")) as connection:
        return list(connection.iterdump())


def peak_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def test_no_bomb_makes_the_pages_large_or_keeps_them_from_answering(
    server: tuple[int, int],
) -> None:
    port, pid = server
    for bomb in BOMBS + ENDLESS[: tries(1, len(ENDLESS))]:
        status, body = query(port, bomb)
        assert len(body) < 9_000_000
        assert status == 400 or json.loads(body)["rows"] is not None, (bomb, body[:200])
        assert query(port, "SELECT 1")[0] == 200
    if Path("/proc/self/status").exists():
        peak = peak_mib(pid)
        print(f"{len(BOMBS)} bombs, peak {peak:.0f} MiB")
        assert peak <= MOST_MIB


def test_nothing_is_written(server: tuple[int, int], folder: Path) -> None:
    before, files = dump(folder), sorted(folder.iterdir())
    for sql in WRITES:
        status, body = query(server[0], sql.format(folder=folder))
        assert status in (400, 500) or not json.loads(body)["rows"], (sql, status, body[:300])
        assert json.loads(body)["ok"] is False or not json.loads(body)["rows"], sql
    assert dump(folder) == before
    assert sorted(folder.iterdir()) == files


def test_secrets_of_plugins_are_not_shown(server: tuple[int, int]) -> None:
    for sql in SECRETS:
        status, body = query(server[0], sql)
        assert SECRET.encode() not in body and SECRET.encode().hex().upper().encode() not in body
        if "WHERE" in sql and status == 200:
            assert json.loads(body)["rows"] == []
    for page in ("/", "/db/viewra/plugins", "/db/viewra/plugins.json?_facet=config", "/db/viewra"):
        status, body = ask(server[0], page)
        assert status == 200 and SECRET.encode() not in body


def test_other_requests_get_nowhere(server: tuple[int, int]) -> None:
    port = server[0]
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        assert ask(port, "/", Host=host)[0] == 400
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS"):
        assert ask(port, "/db/viewra/movies", method)[0] == 405
    for path in (
        "/db/viewra.db",
        "/db/-/static/..%2f..%2f..%2fetc%2fpasswd",
        "/../../etc/passwd",
        "/pages/overview.html",
        "/db/_internal",
    ):
        status, body = ask(port, path)
        assert status in (403, 404), (path, status)
        assert b"root:" not in body
    for path in ("/db/viewra/movies", "/db/viewra/missing_files", "/login"):
        assert ask(port, path, "POST")[0] == 405


def test_pages_and_rows_are_read_all_the_same(server: tuple[int, int]) -> None:
    port = server[0]
    status, body = query(port, "SELECT count(*) FROM movies WHERE year > 1900")
    assert (status, json.loads(body)["rows"]) == (200, [[299]])
    for page in ("/db/viewra/movies", "/db/viewra/search_index", "/db/viewra/missing_files"):
        assert ask(port, page)[0] == 200
    for name in ("who_watched_what?user=", "never_watched", "largest_files", "codecs"):
        assert ask(port, f"/db/viewra/{name}")[0] == 200
    status, body = query(port, "SELECT rowid FROM search_index WHERE search_index MATCH 'film*'")
    assert len(json.loads(body)["rows"]) == 300
