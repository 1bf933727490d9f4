"""What the hook collects, and that PyInstaller finds it; test_binary.py looks at the outcome."""

from __future__ import annotations

import ast
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from viewra_lite.__pyinstaller import contents
from viewra_lite.built_in import BUILT_IN

HOOK = ROOT / "viewra_lite/__pyinstaller"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a package that must not be imported, because it is the program."""
    scripts = tmp_path / "host_program" / "scripts"
    scripts.mkdir(parents=True)
    (scripts.parent / "__init__.py").write_text("raise AssertionError")
    for name in ("__init__.py", "0001_first.py", "0002_second.py", "rows.csv"):
        (scripts / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_every_module_of_the_package_is_collected_but_the_hook_and_what_tests_use() -> None:
    left_out = {HOOK.name, "testing", "__main__.py"}
    files = [path.relative_to(ROOT) for path in (ROOT / "viewra_lite").rglob("*.py")]
    packed = [path for path in files if not left_out & set(path.parts)]
    names = {".".join(path.with_suffix("").parts) for path in packed}
    assert set(contents.below("viewra_lite")) == {name.removesuffix(".__init__") for name in names}
    assert {room.migrations for room in BUILT_IN} <= set(contents.below("viewra_lite"))


def test_the_standard_library_is_collected_but_for_tests_and_windows() -> None:
    found = contents.standard_library()
    assert {"_sqlite3", "email.mime.text", "http.server", "uuid", "xml.sax.handler"} <= set(found)
    assert not [name for name in found if {"test", "tests", "tkinter"} & set(name.split("."))]
    assert [name for name in found if find_spec(name.split(".")[0]) is None] == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("migrations = 'host_program.scripts'", True),
        ('migrations: str = "host_program.scripts"', True),
        ("name = migrations = 'host_program.scripts'", True),
        ("migrations = 'host_program.scripts.0001_first'", False),  # no package
        ("migrations = 'host_program.gone'", False),
        ("migrations = 'no_such_package'", False),
        ("migrations = ''", False),
        ("migrations = '.relative'", False),
        ("migrations = None", False),
        ("migrations: str", False),
        ("def migrations(self): 'host_program.scripts'", False),
        ("tables = 'host_program.scripts'", False),
    ],
)
def test_migrations_are_those_that_a_class_names(host: Path, line: str, is_found: bool) -> None:
    (host / "module.py").write_text(f"# migrations\nclass Reviews:\n    {line}\n")
    found = contents.migrations_named_in([str(host / "module.py")])
    assert found == (["host_program.scripts"] if is_found else [])
    assert [name for found in found for name in contents.below(found)] == [
        "host_program.scripts",
        "host_program.scripts.0001_first",
        "host_program.scripts.0002_second",
    ] * is_found


def test_files_that_are_no_source_name_no_migrations(host: Path) -> None:
    broken = {"a.so": b"\0migrations", "b.py": b"migrations = (", "c.py": b"migrations = '\xff'"}
    for name, data in broken.items():
        (host / name).write_bytes(data)
    files = [*(str(host / name) for name in broken), str(host), str(host / "gone")]
    assert contents.migrations_named_in(files) == []


def test_pyinstaller_finds_the_hooks() -> None:
    [point] = entry_points(group="pyinstaller40", name="hook-dirs")
    assert point.load()() == [str(HOOK)]
    runs = ast.literal_eval((HOOK / "rthooks.dat").read_text())
    assert runs == {"viewra_lite": ["pyi_rth_viewra_lite.py"]}
    assert (HOOK / "rthooks/pyi_rth_viewra_lite.py").is_file()
    assert (HOOK / "hook-viewra_lite.py").is_file()
