"""app(): an ASGI application that shows a store: an overview, and on SQLite its tables."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from time import monotonic
from typing import Any

from ..config.options import SqliteConfig
from ..errors import ConfigError
from ..store import Store
from .saved import QUERIES

try:
    from jinja2 import Environment, FileSystemLoader
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.routing import Mount, Route

    from .access import Access
except ImportError as exc:
    raise ConfigError(
        "the web pages need more packages: pip install datasette jinja2 pygal starlette uvicorn"
    ) from exc

from .overview import Overview

LOCAL = ("localhost", "127.0.0.1", "[::1]")
_PAGES = Path(__file__).parent / "pages"


def app(
    store: Store,
    *,
    password: str | None = None,
    hosts: Collection[str] = LOCAL,
    clock: Callable[[], float] = monotonic,
) -> Any:
    """Return an ASGI application that shows a store, and changes nothing in it.

    Serve it alone, or mount it in a host's server. Without a password everybody who reaches it
    may read all that the store holds, but for the secrets of plugins. hosts are the names under
    which browsers reach it, without ports; requests for others are refused. Raises ConfigError
    without the extra `web`, or if the store uses `driver: cysqlite`: two SQLite libraries in one
    process can destroy a file.

        app = Starlette(routes=[Mount("/database", viewra_lite.web.app(store, password=secret))])
    """
    config = store.config
    if isinstance(config, SqliteConfig) and config.driver == "cysqlite":
        raise ConfigError(
            "the database browser cannot be used with driver: cysqlite, because two SQLite "
            "libraries in one process can destroy the file: start viewra-lite web with driver: "
            "sqlite3, which may run beside the server"
        )
    pages = Environment(loader=FileSystemLoader(_PAGES), autoescape=True)
    pages.filters["size"] = _size
    overview = Overview(store, clock)

    def render(request: Request, name: str, **facts: Any) -> Response:
        root = request.scope.get("root_path", "")
        return HTMLResponse(pages.get_template(name).render(root=root, **facts))

    def show(request: Request) -> Response:
        is_sqlite = isinstance(config, SqliteConfig)
        queries = QUERIES if is_sqlite else {}
        return render(
            request, "overview.html", url=config.url, is_sqlite=is_sqlite, queries=queries,
            **overview.facts(),
        )  # fmt: skip

    def style(_: Request) -> Response:
        return PlainTextResponse(_STYLE, media_type="text/css")

    routes: list[Any] = [Route("/", show), Route("/style.css", style)]
    if isinstance(config, SqliteConfig):
        routes.append(Mount("/db", _Browser(config)))

    def log_in(request: Request, error: str) -> Response:
        return render(request, "login.html", error=error)

    return Access(Starlette(routes=routes), password, hosts, log_in, clock)


class _Browser:
    """The browser of the tables, made at the first request: only then its path is known."""

    def __init__(self, config: SqliteConfig) -> None:
        self._config = config
        self._made: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        from .browser import browser

        root = scope["root_path"]
        if root not in self._made:
            self._made[root] = browser(self._config, f"{root}/")
        await self._made[root]({**scope, "root_path": ""}, receive, send)


def _size(count: int) -> str:
    """Return a number of bytes with a unit."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


_STYLE = (_PAGES / "style.css").read_text(encoding="utf-8")
