"""PostgreSQL goes away, comes back, or refuses us; no message shows the password."""

from __future__ import annotations

import select
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import quote

import pytest

from tests.support.postgres import PostgresMissing, Server, free_port, running_server
from tests.support.rows import add, add_by_peewee, ids, library_by_id, set_interval
from tests.support.threads import WAIT_S, in_threads
from viewra_lite import Store
from viewra_lite.errors import ConfigError, TransactionError, StoreUnavailableError, ViewraError
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
    assert outage.media.db.one(library_by_id, "a").id == "a"
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
    assert len(outage.media.db.backend._pool._alive) <= 4


def test_a_server_that_is_down_is_unavailable_until_it_is_back(outage, own_server):
    add(outage, "a")
    own_server.stop()
    for use in (
        lambda: ids(outage),
        lambda: add(outage, "b"),
        outage.writer().__enter__,
        lambda: outage.media.db.one(library_by_id, "a"),
        lambda: outage.media.db.exclusive("x").__enter__(),
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
    assert str(errors[4]).endswith("cannot be reached: Connection refused")
    assert "not resolve" in str(errors[5]) or "not known" in str(errors[5])
    assert str(errors[6]).endswith("server does not support SSL, but SSL was required")
    assert '"no_such_database" does not exist' in str(errors[3])
    assert capsys.readouterr() == ("", "")


def test_a_store_shows_its_password_nowhere(own_server):
    url = own_server.create_database("test_shown")
    with Store.open(url) as store:
        backend = store.media.db.backend
        shown = [repr(store), repr(store.config), str(vars(backend.database)), str(vars(backend))]
        for text in shown:
            assert own_server.password not in text
            assert quote(own_server.password, safe="") not in text


@pytest.fixture
def set_up(own_server: Server, request: pytest.FixtureRequest) -> Iterator[Callable[[str], Store]]:
    """Opens a store on a database with a default setting that its administrator made."""
    name = f"test_{abs(hash(request.node.name))}"
    url = own_server.create_database(name)
    Store.open(url).close()
    with ExitStack() as opened:

        def configured(setting: str) -> Store:
            own_server.execute(f"ALTER DATABASE {{}} SET {setting}", name)
            return opened.enter_context(Store.open(url))

        yield configured


LEVEL = "SELECT current_setting('transaction_isolation')"


def test_the_isolation_is_ours_whatever_the_server_has_as_its_default(set_up):
    store = set_up("default_transaction_isolation = 'serializable'")
    database = MediaLibrary._meta.database
    for _ in range(2):  # also after a guest had the connection
        with store.writer():
            assert database.execute_sql(LEVEL).fetchone() == ("read committed",)
            database.execute_sql("SET default_transaction_isolation = 'serializable'")
        with store.reader():
            assert database.execute_sql(LEVEL).fetchone() == ("repeatable read",)
    add(store, "a")

    def count_up(number):
        for _ in range(20):
            store.media.db.run(set_interval, number, "a")

    in_threads(4, count_up)


def test_a_server_that_takes_no_writes_says_so(set_up):
    store = set_up("default_transaction_read_only = on")
    assert ids(store) == []
    for write in (
        lambda: add(store, "a"),
        store.writer().__enter__,
        lambda: store.media.add_library("Films", "/", "movie"),
    ):
        with pytest.raises(StoreUnavailableError, match="is read-only: .* configure the primary"):
            write()
    with pytest.raises(TransactionError, match="writer"), store.reader():
        add_by_peewee("a")
    assert ids(store) == []


# The second where the server's last words were lost with the connection.
IDLE_TOO_LONG = "blocks short, or raise .* idle_in|server closed the connection"


@pytest.mark.parametrize("session", ["reader", "writer"])
def test_a_server_that_ends_idle_transactions_is_named_with_the_remedy(outage, session):
    for use in (
        lambda: MediaLibrary.select().count(),
        lambda: outage.media.db.one(library_by_id, "a"),
    ):
        with pytest.raises(StoreUnavailableError, match=IDLE_TOO_LONG):
            with getattr(outage, session)():
                idle_for_too_long()
                use()
    with pytest.raises(StoreUnavailableError, match=IDLE_TOO_LONG), outage.writer():
        idle_for_too_long()
    assert outage.media.db.one(library_by_id, "a") is None


def idle_for_too_long():
    """Return when the server has ended the transaction that is open."""
    database = MediaLibrary._meta.database
    database.execute_sql("SET LOCAL idle_in_transaction_session_timeout = '1ms'")
    assert select.select([database.connection().fileno()], [], [], WAIT_S)[0]


def test_ctrl_c_while_a_server_does_not_answer_shows_no_password(monkeypatch):
    import psycopg

    def connect(**options):
        raise KeyboardInterrupt

    monkeypatch.setattr(psycopg, "connect", connect)
    with pytest.raises(KeyboardInterrupt) as caught:
        Store.open("postgresql://viewra:s3cret@localhost/viewra")
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert frames and not any("s3cret" in repr(frame.f_locals) for frame in frames)
