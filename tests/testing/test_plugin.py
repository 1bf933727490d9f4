"""The fixtures for pytest, as the author of a plugin uses them: in a process of their own."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path


from tests.support.processes import environment

HELLO = """
from viewra_lite.plugins import Plugin

class Hello(Plugin):
    id = "hello"
    answers = ("movie",)
    def run(self, now):
        for item in self.todo("movie"):
            self.answer(item, {"tagline": f"hello, {item.title}"})
            self.storage[item.title] = now.isoformat()

def test_it_answers(viewra_store, viewra_media, viewra_clock, tmp_path):
    viewra_store.plugins.register(Hello)
    viewra_store.plugins.enable("hello")
    viewra_media.film("Metropolis", 1927)
    viewra_media.scan(viewra_store)
    viewra_clock.advance(60)
    [run] = viewra_store.plugins.run_due()
    assert run.error is None
    [usage] = viewra_store.plugins.usage()
    assert usage.answers == 1 and usage.storage_keys == 1
    print("ran on", viewra_store.engine)

def test_each_test_has_an_empty_store(viewra_store):
    assert viewra_store.media.libraries() == []
    assert viewra_store.plugins.plugins() == []
"""
UNUSED = """
import sys

OURS = sorted(name for name in sys.modules if name.startswith(("viewra_lite", "peewee")))

def test_nothing_is_imported():
    assert OURS == ["viewra_lite", "viewra_lite.testing", "viewra_lite.testing.plugin"]
"""


def pytest_in(folder: Path, *options: str, **files: str) -> str:
    """Run pytest on files, as their author does, and return what it prints."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rP", "-W", "error", *options],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=90,
    )
    return done.stdout + done.stderr


def test_pytest_finds_the_fixtures_by_their_entry_point() -> None:
    names = {one.name: one.value for one in entry_points(group="pytest11")}
    assert names["viewra_lite"] == "viewra_lite.testing.plugin"


def test_a_test_has_a_store_of_its_own_and_one_without_imports_nothing(tmp_path: Path) -> None:
    printed = pytest_in(tmp_path, test_1=UNUSED, test_2=HELLO)
    assert "3 passed" in printed, printed
    assert "ran on sqlite" in printed and "postgres" not in printed


def test_a_test_runs_on_postgresql_too_where_a_server_is_named(
    tmp_path: Path, postgres_url: str
) -> None:
    before = databases(postgres_url)
    printed = pytest_in(tmp_path, f"--viewra-postgres={postgres_url}", test_2=HELLO)
    assert "4 passed" in printed, printed
    assert "ran on sqlite" in printed and "ran on postgres" in printed
    assert not [name for name in databases(postgres_url) - before if "viewra_test" in name]


def databases(url: str) -> set[str]:
    import psycopg

    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def test_the_media_and_the_clock_need_no_pytest() -> None:
    code = (
        "import sys; sys.modules['pytest'] = None\n"
        "import viewra_lite.testing.media, viewra_lite.testing.clock\n"
    )
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
