"""PostgreSQL goes away, comes back, or refuses us; no message shows the password."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from postgres_server import PostgresMissing, Server, free_port, running_server

from tests.database.rows import WAIT_S, add, ids, library_by_id
from viewra_lite import Store
from viewra_lite.errors import ConfigError, StoreUnavailableError, ViewraError
from viewra_lite.media.models import MediaLibrary


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A server that these tests may stop."""
    try:
        with running_server() as server:
            yield server
    except PostgresMissing as exc:
        pytest.skip(f"no PostgreSQL: {exc}")


@pytest.fixture
def outage(own_server: Server, request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store on the server that may be stopped; it runs again afterwards."""
    url = own_server.create_database(f"test_{abs(hash(request.node.name))}")
    with Store.open(url) as store:
        yield store
    if own_server.process is None:
        own_server.start()


def test_a_restart_between_two_verbs_is_not_noticed(outage, own_server):
    add(outage, "a")
    for session in (outage.reader, outage.writer):
        with session():
            MediaLibrary.select().count()
        own_server.stop()
        own_server.start()
        with session():
            assert MediaLibrary.select().count() == 1
    own_server.stop()
    own_server.start()
    assert outage._sessions.one(library_by_id, "a").id == "a"
    own_server.stop()
    own_server.start()
    add(outage, "b")
    assert ids(outage) == ["a", "b"]


def test_several_idle_connections_survive_a_restart(outage, own_server):
    inside = threading.Barrier(4, timeout=WAIT_S)

    def read():
        with outage.reader():
            MediaLibrary.select().count()
            inside.wait()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own_server.stop()
    own_server.start()
    for _ in range(5):
        assert ids(outage) == []
    assert len(outage._sessions.backend._pool._alive) <= 4


def test_a_server_that_is_down_is_unavailable_until_it_is_back(outage, own_server):
    add(outage, "a")
    own_server.stop()
    for use in (
        lambda: ids(outage), lambda: add(outage, "b"), outage.writer().__enter__,
        lambda: outage._sessions.one(library_by_id, "a"),
        lambda: outage._sessions.exclusive("x").__enter__(),
    ):
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            use()
    own_server.start()
    add(outage, "b")
    assert ids(outage) == ["a", "b"]


@pytest.mark.parametrize("statement", ["compiled", "peewee", "none"])
def test_a_server_that_stops_in_the_middle_of_a_writer_rolls_back(outage, own_server, statement):
    add(outage, "a")
    with pytest.raises(StoreUnavailableError), outage.writer():
        add(outage, "b")
        with outage.reader():
            pass
        own_server.stop()
        if statement == "compiled":
            add(outage, "c")
        elif statement == "peewee":
            MediaLibrary.select().count()
    own_server.start()
    assert ids(outage) == ["a"]
    add(outage, "d")


def test_a_server_that_stops_inside_nested_sessions_is_unavailable(outage, own_server):
    add(outage, "a")
    with pytest.raises(StoreUnavailableError), outage.writer():
        with outage.writer(), outage.reader():
            own_server.stop()
    own_server.start()
    with pytest.raises(StoreUnavailableError), outage.reader():
        own_server.stop()
        MediaLibrary.select().count()
    with pytest.raises(StoreUnavailableError):
        add(outage, "b")
    own_server.start()
    assert ids(outage) == ["a"]


def test_the_own_error_of_the_caller_is_not_hidden_by_the_outage(outage, own_server):
    with pytest.raises(ZeroDivisionError), outage.writer():
        add(outage, "a")
        own_server.stop()
        1 / 0
    own_server.start()
    with pytest.raises(ZeroDivisionError), outage.reader():
        own_server.stop()
        1 / 0
    own_server.start()
    assert ids(outage) == []


def refused(url, error):
    with pytest.raises(ViewraError) as caught:
        Store.open(url)
    assert type(caught.value) is error
    return caught.value


def test_every_refusal_is_named_and_shows_no_password(own_server, capsys):
    password = own_server.password
    user = f"{own_server.user}:{quote(password, safe='')}"
    place = f"{own_server.host}:{own_server.port}"
    wrong = "s3cret-wr0ng"
    errors = [
        refused(f"postgresql://{own_server.user}:{wrong}@{place}/postgres", ConfigError),
        refused(f"postgresql://{own_server.user}@{place}/postgres", ConfigError),
        refused(f"postgresql://nobody:{wrong}@{place}/postgres", ConfigError),
        refused(f"postgresql://{user}@{place}/no_such_database", ConfigError),
        refused(f"postgresql://{user}@{own_server.host}:{free_port()}/x", StoreUnavailableError),
        refused(f"postgresql://{user}@no-such-host.invalid/x", StoreUnavailableError),
        refused(f"postgresql://{user}@{place}/postgres?sslmode=require", StoreUnavailableError),
    ]
    for error in errors:
        chain, seen = error, ""
        while chain is not None:
            seen += f"{chain} {chain!r} {chain.args} {vars(chain)}"
            chain = chain.__cause__ or chain.__context__
        seen += "".join(traceback.format_exception(type(error), error, error.__traceback__))
        for secret in (password, quote(password, safe=""), wrong):
            assert secret not in seen
    assert "authentication" in str(errors[0])
    assert '"no_such_database" does not exist' in str(errors[3])
    assert capsys.readouterr() == ("", "")


def test_a_store_shows_its_password_nowhere(own_server):
    url = own_server.create_database("test_shown")
    with Store.open(url) as store:
        backend = store._sessions.backend
        shown = [repr(store), repr(store.config), str(vars(backend.database)), str(vars(backend))]
        for text in shown:
            assert own_server.password not in text
            assert quote(own_server.password, safe="") not in text
