"""A password goes nowhere: it is looked for in everything that the store says, writes or starts."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import logging
import os
import pickle
import pprint
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.processes import ROOT, environment
from tests.support.threads import in_thread
from viewra_lite import PostgresConfig, Store, load_config
from viewra_lite.cli import main
from viewra_lite.errors import ConflictError, ViewraError
from viewra_lite.media.models import MediaLibrary

FEWEST_PLACES = 25


class Places:
    """Texts that others see, by where they were seen; none may hold the password."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url
        self.quoted = parts.password or ""
        self.password = load_config(url).password.reveal()  # type: ignore[attr-defined]
        self.seen: dict[str, str] = {}

    def see(self, name: str, text: object) -> None:
        assert name not in self.seen, name
        self.seen[name] = text if isinstance(text, str) else repr(text)

    def error(self, name: str, action: Callable[[], Any]) -> BaseException:
        """See all that there is of an error, the locals of every frame but this test's too."""
        try:
            action()
        except Exception as exc:
            self.see(f"{name}: message", f"{exc} {exc!r} {exc.args!r} {vars(exc)!r}")
            self.see(f"{name}: traceback", "".join(traceback.format_exception(exc)))
            self.see(f"{name}: locals", locals_of(exc))
            with contextlib.suppress(Exception):
                self.see(f"{name}: pickled", repr(pickle.dumps(exc)))
            return exc
        raise AssertionError(f"{name} raised nothing")

    def leaks(self) -> list[str]:
        secrets = {self.password, self.quoted, repr(self.password)[1:-1]}
        return [name for name, text in self.seen.items() if any(each in text for each in secrets)]


def locals_of(error: BaseException) -> str:
    """Return the locals of all frames of an error and its causes, as crash reporters do."""
    found, links = [], [error]
    while links:
        link = links.pop()
        links += [each for each in (link.__cause__, link.__context__) if each is not None]
        for frame, _ in traceback.walk_tb(link.__traceback__):
            if "tests" not in Path(frame.f_code.co_filename).parts:
                found.append(pprint.pformat({name: reprs(v) for name, v in frame.f_locals.items()}))
    return "\n".join(found)


def reprs(value: object, depth: int = 3) -> str:
    """Return repr() of a value and of what its attributes hold."""
    text = repr(value)
    inner = getattr(value, "__dict__", None)
    if depth and isinstance(inner, dict) and not isinstance(value, type):
        text += "".join(f" {name}={reprs(each, depth - 1)}" for name, each in inner.items())
    return text


WRAPPER = """#!{python}
import json, os, sys
with open({record!r}, "a") as file:
    cmdline = open("/proc/self/cmdline").read() if os.path.exists("/proc/self/cmdline") else ""
    file.write(json.dumps([sys.argv, cmdline]) + "\\n")
os.execv({program!r}, sys.argv)
"""


@pytest.fixture
def recorded(
    postgres_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """The arguments of every program of PostgreSQL that is started."""
    record, folder = tmp_path / "argv", tmp_path / "bin"
    folder.mkdir()
    for name in ("pg_dump", "pg_restore", "psql"):
        wrapper = folder / name
        program = str(postgres_server.bin_dir / name)
        wrapper.write_text(
            WRAPPER.format(python=sys.executable, record=str(record), program=program)
        )
        wrapper.chmod(wrapper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    record.touch()
    yield record


def test_a_password_is_in_nothing_that_is_shown_written_or_started(
    postgres_store: str,
    recorded: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    places = Places(postgres_store)
    for name in ("", "peewee", "psycopg", "viewra_lite"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    see_configuration(places, tmp_path)
    see_refusals(places, tmp_path)
    with Store.open(places.url) as store:
        see_store(places, store, tmp_path)
    places.see("log at DEBUG", "\n".join(f"{r.getMessage()} {vars(r)!r}" for r in caplog.records))
    places.see("arguments of programs", recorded.read_text())
    assert "pg_dump" in places.seen["arguments of programs"]
    monkeypatch.chdir(tmp_path)
    see_commands(places, tmp_path, capsys)
    see_crash(places)
    assert places.leaks() == []
    assert len(places.seen) >= FEWEST_PLACES
    with capsys.disabled():
        print(f"\na password in {len(places.seen)} places: 0 leaks")


def see_configuration(places: Places, folder: Path) -> None:
    config = load_config(places.url)
    assert isinstance(config, PostgresConfig)
    places.see("repr of a configuration", config)
    places.see("str of a configuration", f"{config} {config!s:}")
    places.see("vars of a configuration", vars(config))
    places.see("its attributes", reprs(config))
    places.see("its fields", dataclasses.asdict(config))
    places.see("its URL", config.url)
    places.see("its copies", [copy.copy(config), copy.deepcopy(config)])
    places.see("its replacement", dataclasses.replace(config, pool_size=2))
    places.see("json", json.dumps(vars(config), default=str))
    places.see("pprint", pprint.pformat(config))
    places.error("pickle", lambda: pickle.dumps(config))
    places.error("json without a default", lambda: json.dumps(vars(config)))


def see_refusals(places: Places, folder: Path) -> None:
    config, secret = load_config(places.url), places.password
    assert isinstance(config, PostgresConfig)
    yaml, file = folder / "viewra.yaml", folder / "password"
    yaml.write_text(f"database:\n  type: postgres\n  password: '{secret}\n  port: 1\n")
    file.write_text(f"{secret}\0\n")
    given = {"type": "postgres", "password": secret}
    wrong = dataclasses.replace(config, user="nobody-else")
    database = dataclasses.replace(config, database="no_such_database")
    port, host = (
        dataclasses.replace(config, port=1),
        dataclasses.replace(config, host="no.invalid"),
    )
    sources: dict[str, Any] = {
        "a wrong user": wrong,
        "a wrong database": database,
        "a wrong port": port,
        "a wrong host": host,
        "a URL with a wrong option": f"{places.url}?x=1",
        "a URL with a wrong number": f"{places.url}?pool_size=x",
        "a URL with a wrong escape": places.url.replace(places.quoted, f"{places.quoted}%"),
        "a URL of another kind": f"mysql{places.url}",
        "a URL with a raw password": places.url.replace(places.quoted, secret),
        "YAML": yaml,
        "a file of the password": {"database": {"type": "postgres", "password_file": file}},
        "the password as its file": {"database": {"type": "postgres", "password_file": secret}},
        "a mapping": {"database": {**given, "port": 0}},
        "the password as a port": {"database": {**given, "port": secret}},
        "the password as a key": {"database": {**given, secret: 1}},
        "the password as a type": {"database": {"type": secret}},
        "the password as a path": {"database": {"database_path": places.url}},
        "the password as a list": {"database": {**given, "password": [secret]}},
    }
    for name, source in sources.items():
        error = places.error(name, lambda source=source: Store.open(source))
        assert isinstance(error, ViewraError), name
    environ = {"VIEWRA_DATABASE_PASSWORD": secret}
    places.error("the environment", lambda: load_config(environ=environ))
    places.error("a restore", lambda: Store.restore(places.url, folder / "none"))


def see_store(places: Places, store: Store, folder: Path) -> None:
    places.see("repr of a store", f"{store!r} {store}")
    places.see("attributes of a store", reprs(store, 5))
    places.error("a second store", lambda: Store.open(places.url))
    films = folder / "films"
    films.mkdir()
    library = store.media.add_library("m", films, "movie")
    places.error("a conflict", lambda: store.media.add_library("m", films, "movie"))

    def collide() -> None:
        with store.writer():
            MediaLibrary.insert(**library.__data__).execute()

    error = places.error("a conflict of PostgreSQL", collide)
    assert isinstance(error, ConflictError)
    places.error("a stray query", lambda: MediaLibrary.select().count())
    places.error("an unknown id", lambda: store.media.library("x"))
    places.error("an error in a thread", lambda: in_thread(lambda: store.media.library("x")))
    backup = store.backups.create(folder / "copy.dump")
    places.see("a backup", backup)
    for path in sorted(folder.glob("copy.dump*")):
        places.see(f"file {path.name}", path.read_bytes().decode("latin-1"))
    places.see("backups", store.backups.list())
    maintenance = store.maintenance
    for name in ("statistics", "database", "connections", "problems", "slow_queries", "chores"):
        verb = getattr(maintenance, name, None)
        if verb is not None:
            places.see(f"maintenance.{name}", verb())
    if hasattr(maintenance, "check"):
        places.see("maintenance.check", maintenance.check())
    places.see("migrations", [store.migrations.status(), store.migrations.plan()])
    with store.reader():
        database = MediaLibrary._meta.database
        places.see("attributes of Peewee's database", reprs(database))
        connection = database.connection()
        places.see("a connection", f"{connection!r} {connection.info.dsn} {reprs(connection.info)}")


def see_commands(places: Places, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    places.see("printed by the library", "".join(capsys.readouterr()))
    url, yaml = places.url, folder / "good.yaml"
    yaml.write_text(f"database:\n  type: postgres\n  password: '{places.password}'\n  port: 1\n")
    commands: dict[str, tuple[str, ...]] = {
        "status": ("status", "--config", url),
        "status --json": ("status", "--json", "--config", url),
        "libraries": ("libraries", "--config", url),
        "a wrong command": ("statu", "--config", url),
        "a wrong URL": ("status", "--config", f"{url}?x=1"),
        "a wrong scheme": ("status", "--config", f"mysql{url}"),
        "a raw password": ("status", "--config", url.replace(places.quoted, places.password)),
        "no such database": ("status", "--config", url.rpartition("/")[0] + "/none"),
        "a file": ("init", "--config", os.fspath(yaml)),
        "backup": ("backup", "create", "--config", url),
        "restore": ("restore", "none", "--config", url),
    }
    for name, arguments in commands.items():
        main(arguments)
        said = "".join(capsys.readouterr())
        assert said and "Traceback" not in said
        places.see(f"command {name}", said)


def see_crash(places: Places) -> None:
    """What Python itself prints of a program that ends with an error of ours."""
    code = """
import faulthandler, os, sys, threading
from viewra_lite import Store
source = os.environ.pop("SOURCE")
def fail():
    Store.open(source)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
with Store.open(source.partition("?")[0]) as store:
    faulthandler.dump_traceback(all_threads=True)
fail()
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**environment(), "SOURCE": f"{places.url}?x=1"},
    )
    assert done.returncode == 1 and "unknown option 'x'" in done.stderr
    places.see("what a crash prints", done.stdout + done.stderr)


def test_a_leak_would_be_found() -> None:
    places = Places("postgresql://viewra:p%40ss%2Fword@db/x")
    places.see("raw", "a p@ss/word")
    places.see("quoted", "p%40ss%2Fword")
    places.see("neither", "***")

    def fail(given: str) -> None:
        raise ValueError("x")

    places.error("an error", lambda: fail(places.password))
    assert places.leaks() == ["raw", "quoted"]  # the frames of this file are left out
