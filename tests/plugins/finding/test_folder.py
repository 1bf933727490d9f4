"""The folder of plugins: what is imported from it, and what is refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any
from zipfile import ZipFile

import pytest

from tests.support.plugins import forgotten, written
from viewra_lite import PluginStatus, Store

HELLO = """
from viewra_lite.plugins import Plugin

class {name}(Plugin):
    id = "{id}"
    def run(self, now):
        self.storage["ran"] = __file__
"""


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Iterator[Path]:
    """An empty folder of plugins beside a store; its modules are forgotten after the test."""
    copytree(sqlite_template, tmp_path, dirs_exist_ok=True)
    made = tmp_path / "plugins"
    made.mkdir(mode=0o755)
    with forgotten(tmp_path):
        yield made


def write(path: Path, text: str) -> Path:
    written(path.parent, {path.name: text})
    return path


def hello(path: Path, id: str) -> Path:
    return write(path, HELLO.format(name=id.capitalize(), id=id))


def opened(tmp_path: Path, folder: Path) -> Store:
    options = {"database_path": str(tmp_path / "viewra.db"), "plugins_folder": str(folder)}
    return Store.open({"database": options}, plugins=True)


def found(tmp_path: Path, folder: Path) -> dict[str, PluginStatus]:
    """Return what a store that is opened with a folder says of its plugins."""
    with opened(tmp_path, folder) as store:
        return {one.id: one for one in store.plugins.plugins()}


# What is imported


def test_a_module_a_package_and_a_zip_file_are_plugins(
    folder: Path, store_config: Any, tmp_path: Path
) -> None:
    hello(folder / "kit_module.py", "module")
    write(folder / "kit_package/__init__.py", "from .inside.plugin import Packed")
    write(folder / "kit_package/inside/__init__.py", "")
    hello(folder / "kit_package/inside/plugin.py", "packed")
    with ZipFile(folder / "kit-1.0.zip", "w") as file:
        file.writestr("kit_zipped/__init__.py", HELLO.format(name="Zipped", id="zipped"))
    (folder / "kit-1.0.zip").chmod(0o644)
    for ignored in ("_kit_shared.py", ".kit_hidden.py", "README.md", "nothing/data.txt"):
        write(folder / ignored, "this is not Python")
    config = store_config
    if isinstance(config, str):
        config += f"?plugins_folder={folder}"
    else:
        config["database"]["plugins_folder"] = str(folder)
    with Store.open(config, plugins=True) as store:
        ids = [one.id for one in store.plugins.plugins(state="off")]
        assert ids == ["module", "packed", "zipped"]
        for id in ids:
            store.plugins.enable(id)
        assert {run.id: run.error for run in store.plugins.run_due()} == dict.fromkeys(ids)
        assert store.plugins.discover() == []
    assert not list(folder.rglob("__pycache__"))


def test_a_plugin_of_a_folder_has_tables(folder: Path, tmp_path: Path) -> None:
    write(
        folder / "kit_tables.py",
        """
        from peewee import IntegerField
        from viewra_lite.plugins import Plugin, PluginModel

        class Seen(PluginModel):
            times = IntegerField()

        class Base(Plugin):
            def times(self):
                with self.reading():
                    return Seen.select().count()

        class Tables(Base):
            id = "tables"
            models = (Seen,)
            migrations = "kit_tables_migrations"
            def run(self, now):
                self.storage["times"] = self.times()
        """,
    )
    write(folder / "kit_tables_migrations/__init__.py", "")
    write(
        folder / "kit_tables_migrations/0001_initial.py",
        """
        def up(migrator, db):
            db.execute_sql(
                "CREATE TABLE plugin_tables_seen (id INTEGER NOT NULL PRIMARY KEY,"
                " times INTEGER NOT NULL)"
            )
        """,
    )
    with opened(tmp_path, folder) as store:
        assert [one.id for one in store.plugins.plugins()] == ["tables"]
        assert store.plugins.enable("tables").state == "on"
        assert [run.error for run in store.plugins.run_due()] == [None]
        assert store.plugins.usage()[0].tables == {"plugin_tables_seen": 0}


def test_a_file_that_was_added_later_is_found_by_discover(folder: Path, tmp_path: Path) -> None:
    hello(folder / "kit_first.py", "first")
    with opened(tmp_path, folder) as store:
        hello(folder / "kit_second.py", "second")
        assert [one.id for one in store.plugins.discover()] == ["second"]


BROKEN = {
    "kit_syntax.py": ("class Found(", "SyntaxError"),
    "kit_raises.py": ("raise SystemExit(3)", "SystemExit"),
    "kit_nothing.py": ("x = 5", "defines no subclass of Plugin"),
    "kit-dashes.py": ("", "cannot be the name of a module"),
    "json.py": ("", "the name of another module"),
    "kit_twin.py": (HELLO.format(name="Twin", id="good"), "has the id good: kit_good.Good"),
    "kit_zip.zip": ("this is not a zip file", "BadZipFile"),
}


def test_each_file_that_cannot_be_used_has_its_reason_and_the_others_work(
    folder: Path, tmp_path: Path
) -> None:
    hello(folder / "kit_good.py", "good")
    for name, (text, _) in BROKEN.items():
        write(folder / name, text)
    with opened(tmp_path, folder) as store:
        broken = {one.reason: one.remedy for one in store.plugins.plugins(state="broken")}
        for name, (_, reason) in BROKEN.items():
            assert [remedy for text, remedy in broken.items() if reason in text and remedy], name
        assert len(broken) == len(BROKEN)
        assert store.plugins.enable("good").state == "on"
        assert store.plugins.discover() == []


def test_a_folder_that_cannot_be_read_is_said(folder: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing_such", write(tmp_path / "a file", "")):
        [one] = found(tmp_path, path).values()
        assert (one.id, one.state) == ("plugins_folder", "broken")
        assert str(path) in one.reason and "plugins_folder" in one.remedy


# Who may write


def writable_folder(folder: Path) -> Path:
    folder.chmod(0o757)
    return folder


def writable_by_the_group(folder: Path) -> Path:
    folder.chmod(0o775)
    return folder


def sticky_but_open(folder: Path) -> Path:
    folder.chmod(0o1777)
    return folder


def writable_parent(folder: Path) -> Path:
    folder.parent.chmod(0o777)
    return folder


def link_in_an_open_folder(folder: Path) -> Path:
    (folder.parent / "open").mkdir()
    (folder.parent / "open").chmod(0o777)
    (folder.parent / "open" / "link").symlink_to(folder)
    (folder.parent / "safe").symlink_to(folder.parent / "open" / "link")
    return folder.parent / "safe"


@pytest.mark.parametrize(
    "opens",
    [
        writable_folder,
        writable_by_the_group,
        sticky_but_open,
        writable_parent,
        link_in_an_open_folder,
    ],
)
def test_a_folder_that_others_may_change_is_refused(
    folder: Path, tmp_path: Path, opens: Any
) -> None:
    hello(folder / "kit_refused.py", "refused")
    [one] = found(tmp_path, opens(folder)).values()
    assert (one.id, one.state) == ("plugins_folder", "broken")
    assert "other users may write to" in one.reason and one.remedy.startswith("chmod go-w ")
    assert "kit_refused" not in sys.modules
    assert os.system(one.remedy) == 0
    assert list(found(tmp_path, folder)) == ["refused"]


@pytest.mark.parametrize(
    "name", ["kit_a.py", "kit_p", "kit_p/__init__.py", "kit_p/deep/data.txt", "kit_p/__pycache__"]
)
def test_a_file_that_others_may_change_is_refused_and_the_others_are_not(
    folder: Path, tmp_path: Path, name: str
) -> None:
    hello(folder / "kit_a.py", "a")
    hello(folder / "kit_b.py", "b")
    hello(folder / "kit_p/__init__.py", "p")
    write(folder / "kit_p/deep/data.txt", "")
    (folder / "kit_p/__pycache__").mkdir(mode=0o755)
    (folder / name).chmod(0o777)
    states = found(tmp_path, folder)
    [refused] = [id for id, one in states.items() if one.state == "broken"]
    assert refused.startswith("kit_") and "b" in states
    assert states[refused].remedy == f"chmod go-w {folder / name}"


def test_a_sticky_folder_above_is_as_safe_as_tmp(folder: Path, tmp_path: Path) -> None:
    hello(folder / "kit_sticky.py", "sticky")
    tmp_path.chmod(0o1777)
    assert [one.state for one in found(tmp_path, folder).values()] == ["off"]


def test_a_link_inside_a_package_is_refused_and_one_to_a_plugin_is_followed(
    folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "work").mkdir(mode=0o755)
    hello(tmp_path / "work" / "kit_linked" / "__init__.py", "linked")
    (folder / "kit_linked").symlink_to(tmp_path / "work" / "kit_linked")
    hello(folder / "kit_links/__init__.py", "links")
    (folder / "kit_links/more.py").symlink_to(tmp_path / "work")
    states = found(tmp_path, folder)
    assert states["linked"].state == "off"
    assert "is a link" in states["kit_links"].reason


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("name", [".", "kit_owned.py"])
def test_what_belongs_to_another_user_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    hello(folder / "kit_owned.py", "owned")
    os.chown(folder / name, 12345, -1)
    [one] = found(tmp_path, folder).values()
    assert "belongs to another user (id 12345)" in one.reason
    assert one.remedy.startswith("chown 0 ") and "kit_owned" not in sys.modules
