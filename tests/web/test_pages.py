"""The pages: what they show, who may see them, and where they are mounted."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from viewra_lite import FileFacts, Store, web
from viewra_lite.errors import ConfigError
from viewra_lite.plugins import Plugin


class Known(Plugin):
    id = "known"
    name = "A <known> plugin"


def ask(app: Any, path: str = "/", method: str = "GET", **options: Any) -> httpx.Response:
    """Return the answer of an application to one request."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        options.setdefault("base_url", "http://localhost")
        base = options.pop("base_url")
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **options)

    return asyncio.run(asked())


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store on each engine, of today."""
    url = f"sqlite:///{tmp_path}/viewra.db"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_store")
    with Store.open(url) as opened:
        yield opened


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Iterator[Store]:
    """A store with a file in a library whose name is markup, a play and a plugin."""
    folder = tmp_path / "films"
    folder.mkdir()
    library = store.media.add_library("Films <script>alert(1)</script>", folder, "movie")
    with store.media.reconcile(library.id) as files:
        files.add(FileFacts(str(folder / "Heat.mkv"), 3 << 30, 1, duration=100.0))
        files.add(FileFacts(str(folder / "Dune.mkv"), 1 << 30, 1, duration=100.0))
    [file, _] = store.media.files(library.id).items
    session = store.playback.start_session(file.id, user_id="ann & bob")
    store.playback.stop_session(session.id, position=100.0)
    store.plugins.register(Known)
    yield store


def test_the_overview_shows_libraries_plays_findings_backups_and_plugins(filled: Store) -> None:
    filled.backups.create()
    page = ask(web.app(filled))
    assert page.status_code == 200
    for text in (
        "Films &lt;script&gt;",
        "4.0 GiB",
        "1 plays",
        "ann &amp; bob",
        "A &lt;known&gt; plugin",
        "enable",
        "manual",
        "<svg",
    ):
        assert text in page.text, text
    assert "<script" not in page.text
    assert not re.search(r"""(src|href)=["']\w+:|url\(""", page.text)  # nothing from elsewhere


def test_the_overview_of_an_empty_store_says_what_to_do(store: Store) -> None:
    page = ask(web.app(store))
    assert "viewra-lite scan" in page.text
    assert "no backup yet" in page.text or store.backups.list()


def test_what_cannot_be_read_is_named_and_the_rest_is_shown(filled: Store) -> None:
    app = web.app(filled)
    filled.close()
    page = ask(app)
    assert page.status_code == 200 and page.text.count('role="alert"') >= 3
    assert "Slow queries" in page.text


def test_libraries_of_one_name_have_one_bar_with_both(store: Store, tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        library = store.media.add_library("Films", folder, "movie")
        with store.media.reconcile(library.id) as files:
            files.add(FileFacts(str(folder / "Heat.mkv"), number << 30, 1))
    assert re.search(r"Films\s+3\.0 GiB", ask(web.app(store)).text)


def test_an_overview_is_kept_for_a_minute(filled: Store) -> None:
    now = [0.0]
    app = web.app(filled, clock=lambda: now[0])
    assert "4.0 GiB" in ask(app).text
    library = filled.media.libraries()[0]
    filled.media.update_library(library.id, name="Renamed")
    assert "Renamed" not in ask(app).text
    now[0] += 61
    assert "Renamed" in ask(app).text


def test_the_tables_are_browsed_on_sqlite_and_postgres_names_its_own_tools(filled: Store) -> None:
    app = web.app(filled)
    page, browser = ask(app), ask(app, "/db/viewra")
    if filled.engine == "sqlite":
        assert "/db/viewra/missing_files" in page.text and "Never watched" in browser.text
        rows = ask(app, "/db/viewra/largest_files.json").json()["rows"]
        assert [row[1].rpartition("/")[2] for row in rows] == ["Heat.mkv", "Dune.mkv"]
        assert [row[0][:5] for row in rows] == ["Films", "Films"]
    else:
        assert "viewra-lite shell" in page.text and browser.status_code == 404


def test_every_answer_has_headers_that_keep_it_from_others(filled: Store) -> None:
    app = web.app(filled)
    for path in ("/", "/style.css", "/db/viewra", "/nothing"):
        headers = ask(app, path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "https:" not in headers["content-security-policy"]
        assert ("script-src" in headers["content-security-policy"]) is path.startswith("/db")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("prefix", ["/admin/store", "/a"])
def test_the_pages_can_be_mounted_in_the_server_of_a_host(filled: Store, prefix: str) -> None:
    app = Starlette(routes=[Mount(prefix, web.app(filled, password="right"))])
    page = ask(app, f"{prefix}/")
    assert f'action="{prefix}/login"' in page.text
    passed = ask(app, f"{prefix}/login", "POST", data={"password": "right"})
    assert passed.headers["location"] == f"{prefix}/"
    cookies = {"Cookie": passed.headers["set-cookie"].partition(";")[0]}
    page = ask(app, f"{prefix}/", headers=cookies)
    assert f'href="{prefix}/style.css"' in page.text
    if filled.engine == "sqlite":
        page = ask(app, f"{prefix}/db/viewra", headers=cookies)
        assert f"{prefix}/db/viewra/movies" in page.text


def test_a_password_is_asked_for_and_wrong_ones_are_slowed_down(filled: Store) -> None:
    now = [0.0]
    app = web.app(filled, password="right", clock=lambda: now[0])

    def log_in(password: str) -> httpx.Response:
        return ask(app, "/login", "POST", data={"password": password})

    for path in ("/", "/db/viewra", "/db/viewra/movies.json", "/nothing"):
        page = ask(app, path)
        assert 'type="password"' in page.text and "Films" not in page.text
    assert ask(app, "/", headers={"Cookie": "viewra_web=made-up"}).text.count("password") > 0
    for _ in range(5):
        assert log_in("wrong").status_code == 403
    refused = log_in("right")
    assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
    now[0] += 2
    assert log_in("wrong").status_code == 403  # and now it takes longer
    now[0] += 1.5
    assert log_in("right").status_code == 429
    now[0] += 1
    passed = log_in("right")
    assert passed.status_code == 303
    cookie = passed.headers["set-cookie"]
    assert "httponly" in cookie.lower() and "samesite=strict" in cookie.lower()
    key = cookie.partition(";")[0]
    assert "4.0 GiB" in ask(app, headers={"Cookie": key}).text
    now[0] += 12 * 3600
    assert "4.0 GiB" not in ask(app, headers={"Cookie": key}).text
    assert log_in("x" * 10_000).status_code == 403


def test_only_the_names_of_the_host_are_answered(filled: Store) -> None:
    app = web.app(filled, hosts=["nas.local", "[::1]"])
    for host, status in {
        "nas.local": 200,
        "NAS.local:8081": 200,
        "[::1]:8081": 200,
        "localhost": 400,
        "nas.local.evil.example": 400,
        "evil.example": 400,
        "": 400,
    }.items():
        assert ask(app, headers={"Host": host}).status_code == status, host


def test_a_process_with_cysqlite_is_refused(tmp_path: Path) -> None:
    config = {"type": "sqlite", "database_path": str(tmp_path / "v.db"), "driver": "cysqlite"}
    with Store.open({"database": config}) as store:
        with pytest.raises(ConfigError, match="driver: sqlite3"):
            web.app(store)


def test_times_are_utc(filled: Store) -> None:
    today = datetime.now(timezone.utc)
    assert f"{today:%Y-%m-%d}" in ask(web.app(filled)).text
