"""Who may look: the names of the host, the password, and the headers of every answer."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Collection
from time import monotonic
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

_COOKIE = "viewra_web"
_SESSION_S = 12 * 3600
_FREE_TRIES = 5
_LONGEST_WAIT_S = 900.0
_POLICY = (
    "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; {scripts}"
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SCRIPTS = "script-src 'self' 'unsafe-inline'; connect-src 'self'; "  # of the tables' browser
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Throttle:
    """Lets five wrong passwords pass, and then makes all wait longer after each one more."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong = 0
        self._until = 0.0

    def wait_s(self) -> float:
        """Return the seconds until a password is looked at again; 0.0: now."""
        return max(0.0, self._until - self._clock())

    def count(self, *, is_right: bool) -> None:
        """Count a password."""
        self._wrong = 0 if is_right else self._wrong + 1
        if self._wrong >= _FREE_TRIES:
            wait = min(_LONGEST_WAIT_S, 2.0 ** (self._wrong - _FREE_TRIES))
            self._until = self._clock() + wait


class Access:
    """ASGI middleware that refuses other hosts and, with a password, people who have not said it.

    hosts are the names by which the page is reached: another site's name that leads to this machine
    (DNS rebinding) is refused.
    """

    def __init__(
        self,
        app: Any,
        password: str | None,
        hosts: Collection[str],
        login: Callable[[Request, str], Response],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._app = app
        self._password = password
        self._hosts = frozenset(host.lower() for host in hosts)
        self._login = login
        self._clock = clock
        self._throttle = Throttle(clock)
        self._sessions: dict[str, float] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        request = Request(scope, receive)
        scripts = _SCRIPTS if _path(request).startswith("/db") else ""
        headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(scripts=scripts)}

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                ours = {name.lower().encode(): text.encode() for name, text in headers.items()}
                kept = [pair for pair in message["headers"] if pair[0].lower() not in ours]
                message = {**message, "headers": [*kept, *ours.items()]}
            await send(message)

        answer = await self._refusal(request)
        await (answer or self._app)(scope, receive, guarded)

    async def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that must not pass, or None."""
        if _host(request) not in self._hosts:
            return PlainTextResponse("this name of the host is not allowed", 400)
        is_login = request.method == "POST" and _path(request) == "/login"
        if is_login and self._password is not None:
            return await self._log_in(request)
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("the pages are for reading only", 405)
        if self._password is None or self._knows(request):
            return None
        if _path(request) == "/style.css":
            return None
        return self._login(request, "")

    def _knows(self, request: Request) -> bool:
        ends = self._sessions.get(request.cookies.get(_COOKIE, ""), 0.0)
        return ends > self._clock()

    async def _log_in(self, request: Request) -> Response:
        assert self._password is not None
        if wait := self._throttle.wait_s():
            answer = self._login(request, f"too many wrong passwords: wait {wait:.0f} s")
            answer.status_code, answer.headers["Retry-After"] = 429, f"{wait:.0f}"
            return answer
        given = await _password_of(request)
        is_right = hmac.compare_digest(given.encode(), self._password.encode())
        self._throttle.count(is_right=is_right)
        if not is_right:
            answer = self._login(request, "wrong password")
            answer.status_code = 403
            return answer
        now = self._clock()
        self._sessions = {key: ends for key, ends in self._sessions.items() if ends > now}
        self._sessions[key := secrets.token_urlsafe(32)] = now + _SESSION_S
        passed = RedirectResponse(f"{request.scope.get('root_path', '')}/", 303)
        passed.set_cookie(
            _COOKIE, key, max_age=_SESSION_S, httponly=True, samesite="strict",
            secure=request.url.scheme == "https", path=request.scope.get("root_path") or "/",
        )  # fmt: skip
        return passed


def _host(request: Request) -> str:
    """Return the host's name as a browser has asked for it, without the port."""
    name = request.headers.get("host", "").lower()
    end = name.find("]")  # of an IPv6 address
    return name[: end + 1] if name.startswith("[") else name.partition(":")[0]


def _path(request: Request) -> str:
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))


async def _password_of(request: Request) -> str:
    """Return the password of a form; a body that is too long has none."""
    from urllib.parse import parse_qs

    body = b""
    async for part in request.stream():
        body += part
        if len(body) > 4096:
            return ""
    values = parse_qs(body.decode("utf-8", "replace")).get("password", [""])
    return values[0]
