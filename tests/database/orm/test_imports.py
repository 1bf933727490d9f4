"""What importing costs, and what a host program that uses Peewee too still gets."""

from __future__ import annotations

import pytest

from tests.support.processes import run_python

HEAVY = ("psycopg", "guessit", "pymediainfo", "tinytag", "rich", "av", "playhouse.postgres_ext")

OPEN = f"""
import sys
from viewra_lite import Store
with Store.open({{"database": {{"database_path": sys.argv[1]}}}}) as store:
    store.media.libraries()
print(sorted(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_a_store_on_sqlite_imports_nothing_that_it_does_not_need(tmp_path):
    made = run_python("-c", OPEN, str(tmp_path / "viewra.db"))
    opened = run_python("-c", OPEN, str(tmp_path / "viewra.db"))
    assert (made.stdout, opened.stdout) == ("[]\n", "[]\n")


HOST = """
import sys
{first}
import peewee
from urllib.parse import urlsplit, unquote
url = urlsplit(sys.argv[1])
place = dict(user=url.username, password=unquote(url.password), host=url.hostname, port=url.port)
database = {make}
class Theirs(peewee.Model):
    tags = peewee.JSONField()
    class Meta:
        database = database
with database:
    database.create_tables([Theirs])
    Theirs.create(tags={{"a": [1, None]}})
    assert Theirs.select().where(Theirs.tags["a"][0] == 1).get().tags == {{"a": [1, None]}}
    with database.atomic():
        assert database.is_connection_usable()
database.close()
{last}
print("works")
"""


@pytest.mark.parametrize(
    "first",
    ["from viewra_lite import Store", "import peewee; from viewra_lite import Store", "pass"],
)
@pytest.mark.parametrize(
    "make",
    [
        "peewee.PostgresqlDatabase(url.path[1:], **place)",
        "peewee.PostgresqlDatabase(None); database.init(url.path[1:], **place)",
        "peewee.PostgresqlDatabase(url.path[1:], prefer_psycopg3=True, **place)",
        "__import__('playhouse.postgres_ext').postgres_ext.PostgresqlExtDatabase("
        "url.path[1:], **place)",
        "__import__('playhouse.pool').pool.PooledPostgresqlDatabase(url.path[1:], **place)",
        "__import__('playhouse.db_url').db_url.connect(sys.argv[1], unquote_password=True)",
    ],
)
def test_a_host_program_uses_peewee_on_postgresql_as_ever(postgres_url, first, make):
    code = HOST.format(first=first, make=make, last="from viewra_lite import Store")
    assert run_python("-W", "ignore", "-c", code, postgres_url).stdout == "works\n"


SAME = """
import peewee as plain, sys
known = {name: repr(value) for name, value in vars(plain).items()
         if isinstance(value, (type, type(sys), type(None))) }
adapters = {
    (kind, name): repr(getattr(getattr(plain, kind), name, None))
    for kind in ("Psycopg2Adapter", "Psycopg3Adapter")
    for name in ("txn_idle", "txn_inerror", "txn_unknown")
}
for name in [name for name in sys.modules if name.split(".")[0] in ("peewee", "psycopg")]:
    del sys.modules[name]
from viewra_lite import Store
import peewee
assert peewee is not plain
assert peewee.psycopg is None
peewee.PostgresqlDatabase("x")
for name, value in known.items():
    assert repr(getattr(peewee, name)) == value, name
for (kind, name), value in adapters.items():
    assert repr(getattr(getattr(peewee, kind), name, None)) == value, (kind, name)
assert "init" not in repr(peewee.PostgresqlDatabase.init.__module__)
print("same")
"""


def test_the_peewee_of_a_host_program_ends_up_as_if_imported_plainly():
    pytest.importorskip("psycopg")
    assert run_python("-c", SAME).stdout == "same\n"


def test_without_psycopg_a_postgres_store_says_what_to_install(tmp_path):
    code = """
import sys
sys.modules["psycopg"] = None
from viewra_lite import Store, errors
try:
    Store.open("postgresql://a@b/c")
except errors.ConfigError as exc:
    print(exc)
import peewee
peewee.PostgresqlDatabase("x")
"""
    assert "pip install" in run_python("-c", code).stdout
