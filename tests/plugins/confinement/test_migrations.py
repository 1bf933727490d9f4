"""A migration of a plugin changes its own tables only, their rows included."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.guest import Guest, Other, dump, guest_of
from tests.support.clock import Clock
from tests.support.configured import configured
from viewra_lite import Store
from viewra_lite.errors import PluginError

ALLOWED = """
    db.execute_sql("INSERT INTO plugin_guest_note (text) SELECT name FROM media_libraries")
    db.execute_sql("UPDATE plugin_guest_note SET text = 'x' WHERE text = 'first'")
    db.execute_sql("CREATE TABLE plugin_guest_new (library_id TEXT REFERENCES media_libraries (id)"
        " ON DELETE CASCADE)")
    db.execute_sql("INSERT INTO plugin_guest_new SELECT id FROM media_libraries")
    db.execute_sql("DELETE FROM plugin_guest_line")
    db.execute_sql("DROP TABLE plugin_guest_reaching")
"""
REFUSED = {
    "DELETE FROM plugins": "plugin",
    "UPDATE plugins SET enabled = false WHERE id = 'other'": "plugins",
    "UPDATE plugins SET config = NULL": "plugins",
    "UPDATE media_libraries SET name = 'x'": "media_libraries",
    "DELETE FROM plugin_storage": "plugin_storage",
    "DELETE FROM media_libraries": "",
    "INSERT INTO plugin_guest_reaching VALUES (1)": "media_libraries",
}
POSTGRES = {
    "TRUNCATE media_libraries CASCADE": "",
    "DO $$ BEGIN DELETE FROM plugin_storage; END $$": "plugin_storage",
}
CHUNKED = """
def chunk(db, after):
    db.execute_sql("DELETE FROM plugin_storage")
"""


@pytest.fixture
def store(store_config: Any, clock: Clock) -> Iterator[Store]:
    config = configured(store_config, upgrade_backup="off")
    with Store.open(config, clock=clock) as opened:
        yield opened


@pytest.fixture
def scripts(store: Store, tmp_path: Path) -> Iterator[Path]:
    """The migrations of a plugin that is enabled."""
    with guest_of(store, tmp_path):
        store.plugins.uninstall("guest")
        yield tmp_path / "code" / "guest_migrations"


def test_it_changes_rows_of_no_other_table(store: Store, scripts: Path) -> None:
    before = dump(store)
    script = scripts / "0002_more.py"
    more = POSTGRES if store.engine == "postgres" else {}
    bodies = [
        (f"def up(migrator, db):\n    db.execute_sql({sql!r})\n", named)
        for sql, named in {**REFUSED, **more}.items()
    ]
    for body, named in bodies:
        script.write_text(body)
        store.plugins.register(Guest)
        with pytest.raises(PluginError, match="it would change rows of the table") as error:
            store.plugins.enable("guest")
        assert f"the table {named}" in error.value.reason, body
        assert store.plugins.plugin("guest").state == "broken"
        assert dump(store) == before, body
        store.plugins.uninstall("guest")
    script.write_text(f"def up(migrator, db):{ALLOWED}")
    store.plugins.register(Guest)
    store.plugins.enable("guest")
    with Other.instance.reading():
        names = Guest.models[0]._meta.database.get_tables()  # type: ignore[attr-defined]
    assert "plugin_guest_new" in names and "plugin_guest_reaching" not in names


def test_neither_does_a_chunk(store: Store, scripts: Path) -> None:
    (scripts / "0002_more.py").write_text(CHUNKED)
    store.plugins.register(Guest)
    with pytest.raises(PluginError, match="rows of the table plugin_storage"):
        store.plugins.enable("guest")
    assert dict(Other.instance.storage) == {"token": "s3cret"}
