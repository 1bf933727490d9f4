"""viewra-lite web: the store in a browser."""

from __future__ import annotations

import socket
import sys
from argparse import Namespace
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from ..complaints import UsageError
from ..exit_codes import DONE
from ..opening import existing
from ..output import note

if TYPE_CHECKING:
    from ..parser import Commands

_PORT = 8081
_THIS_MACHINE = "127.0.0.1"


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "web",
        run_web,
        "show the store in a browser, for reading",
        "Serve an overview of the store and, on SQLite, a browser of its tables, at "
        f"http://localhost:{_PORT}. It reads only, and may run beside a server. Needs the extra "
        "web. Beyond this machine it needs a password; put a proxy with TLS in front of it.",
        example="web --port 8081",
    )
    parser.add_argument("--port", type=int, default=_PORT, help=f"default: {_PORT}")
    parser.add_argument(
        "--host", default=_THIS_MACHINE, metavar="ADDRESS", help="default: 127.0.0.1, this machine"
    )
    parser.add_argument(
        "--name",
        action="append",
        default=[],
        metavar="HOST",
        help="a name under which browsers reach it, such as nas.local; may be repeated",
    )
    parser.add_argument(
        "--password-file",
        metavar="FILE",
        help="its first line is the password; - asks for it. Never an argument: others see those",
    )


def run_web(args: Namespace) -> int:
    """Serve the pages until Ctrl-C."""
    from ...web import app

    import uvicorn

    from ...web.application import LOCAL

    if not 0 <= args.port <= 65535:
        raise UsageError(f"--port {args.port}: a port is 0 to 65535")
    password = _password(args)
    with existing(args) as store, closing(_bound(args.host, args.port)) as bound:
        names = [*LOCAL, _in_url(args.host), *args.name]
        pages = app(store, password=password, hosts=names)
        config = uvicorn.Config(
            pages, log_level="warning", lifespan="off", server_header=False,
            limit_concurrency=64, timeout_graceful_shutdown=3,
        )  # fmt: skip
        name = "localhost" if args.host == _THIS_MACHINE else _in_url(args.host)
        note(f"http://{name}:{bound.getsockname()[1]} (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):  # uvicorn raises it again, when it has ended
            uvicorn.Server(config).run(sockets=[bound])
    return DONE


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as exc:
        raise UsageError(
            f"cannot listen at {_in_url(host)}:{port}: {exc.strerror or exc}: choose another "
            "--port or --host"
        ) from exc


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _password(args: Namespace) -> str | None:
    """Return the password of the file or of the prompt; raises UsageError and ConfigError."""
    if args.password_file not in (None, "-"):
        from ...config.loading import first_line

        return first_line(args.password_file, "--password-file")
    if args.password_file is None and _is_loopback(args.host):
        return None
    if not sys.stdin.isatty():
        raise UsageError(
            f"--host {args.host} needs --password-file FILE: other machines can reach the pages"
        )
    from getpass import getpass

    password = getpass("Password for the pages: ", stream=sys.stderr)
    if not password:
        raise UsageError("an empty password protects nothing")
    return password


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host.lower() == "localhost"
