"""reader(), writer() and after_commit(), on both engines."""

from __future__ import annotations

import threading

import peewee
import pytest

from tests.support.rows import (
    NOW,
    add,
    add_by_peewee,
    ids,
    insert_library,
    interval_of,
    library_by_id,
    set_interval,
)
from tests.support.threads import WAIT_S, in_thread, in_threads
from viewra_lite.errors import ConflictError, TransactionError, StoreBusyError
from viewra_lite.media.models import MediaLibrary


def test_a_reader_sees_one_snapshot_while_others_commit(store, db):
    add(store, "a")
    with store.reader():
        assert MediaLibrary.select().count() == 1
        in_thread(lambda: add(store, "b"))
        assert MediaLibrary.select().count() == 1
        assert db.one(library_by_id, "b") is None
    assert ids(store) == ["a", "b"]


def test_a_write_in_a_reader_is_refused(store):
    with pytest.raises(TransactionError) as caught:
        with store.reader():
            add_by_peewee("a")
    assert isinstance(caught.value.__cause__, peewee.PeeweeException)
    with pytest.raises(TransactionError, match="use a writer"):
        with store.reader():
            add(store, "a")
    assert ids(store) == []


def test_a_write_that_the_caller_catches_in_a_reader_has_no_effect(store, db):
    with pytest.raises(TransactionError), store.reader():
        with pytest.raises(peewee.PeeweeException):
            add_by_peewee("a")
        db.run(insert_library, "a", "a", "/a", NOW)
    assert ids(store) == []


def test_a_writer_commits_and_an_exception_rolls_back(store):
    with store.writer():
        add_by_peewee("a")
        add(store, "b")
    with pytest.raises(ZeroDivisionError), store.writer():
        add_by_peewee("c")
        1 / 0
    assert ids(store) == ["a", "b"]


def test_the_own_errors_of_the_caller_pass_unchanged(store):
    for wrong in (OverflowError("mine"), ValueError("mine"), KeyError("mine"), SystemExit(3)):
        for session in (store.reader, store.writer):
            with pytest.raises(type(wrong)) as caught, session():
                raise wrong
            assert caught.value is wrong


def test_the_inner_writer_is_a_savepoint(store):
    with store.writer():
        add_by_peewee("a")
        with pytest.raises(ConflictError), store.writer():
            add_by_peewee("b")
            add_by_peewee("b")
        with store.writer():
            add_by_peewee("c")
            with pytest.raises(ZeroDivisionError), store.writer():
                add_by_peewee("d")
                1 / 0
        add(store, "e")
    assert ids(store) == ["a", "c", "e"]


def test_the_outer_writer_takes_back_what_inner_ones_did(store):
    with pytest.raises(ZeroDivisionError), store.writer():
        with store.writer():
            add_by_peewee("a")
        1 / 0
    assert ids(store) == []


def test_peewees_atomic_is_a_savepoint_inside_a_writer(store):
    with store.writer():
        add_by_peewee("a")
        with pytest.raises(peewee.IntegrityError), MediaLibrary._meta.database.atomic():
            add_by_peewee("b")
            add_by_peewee("a")
    assert ids(store) == ["a"]


def test_a_reader_in_a_writer_sees_its_rows_and_refuses_writes(store, db):
    with store.writer():
        add_by_peewee("a")
        with pytest.raises(TransactionError), store.reader():
            assert db.one(library_by_id, "a").name == "a"
            add_by_peewee("b")
        with pytest.raises(TransactionError), store.reader():
            add(store, "b")
        with store.reader(), store.reader():
            assert MediaLibrary.select().count() == 1
        add_by_peewee("c")
        add(store, "d")
    assert ids(store) == ["a", "c", "d"]


def test_a_reader_in_a_nested_writer_keeps_every_level(store):
    with store.writer():
        add(store, "a")
        with pytest.raises(ZeroDivisionError), store.writer():
            add(store, "b")
            with store.reader():
                assert MediaLibrary.select().count() == 2
            add(store, "c")
            1 / 0
        with store.writer():
            with pytest.raises(ZeroDivisionError), store.reader():
                1 / 0
            add(store, "d")
        with store.reader():
            assert MediaLibrary.select().count() == 2
    assert ids(store) == ["a", "d"]


def test_a_reader_of_ours_in_a_writer_keeps_run_from_writing(store, db):
    with db.writer():
        add(store, "a")
        with db.reader(), pytest.raises(TransactionError):
            add(store, "b")
        with db.reader(), store.reader(), pytest.raises(peewee.PeeweeException):
            add_by_peewee("b")
        add(store, "c")
    assert ids(store) == ["a", "c"]


def test_a_writer_in_a_reader_is_refused(store):
    with store.reader():
        with pytest.raises(TransactionError, match="inside a reader"), store.writer():
            pass
        assert MediaLibrary.select().count() == 0
    with store.writer(), store.reader():
        with pytest.raises(TransactionError, match="inside a reader"), store.writer():
            pass


def test_run_many_needs_a_writer(store, db):
    with pytest.raises(TransactionError):
        db.run_many(insert_library, [])
    with store.reader(), pytest.raises(TransactionError):
        db.run_many(insert_library, [])


def test_an_error_that_was_swallowed_never_loses_rows_silently(store):
    """SQLite goes on after the error, PostgreSQL cannot: it says so instead of rolling back."""
    try:
        with store.writer():
            add_by_peewee("a")
            with pytest.raises(peewee.IntegrityError):
                add_by_peewee("a")
    except TransactionError as exc:
        assert store.engine == "postgres" and "swallowed" in str(exc)
        assert ids(store) == []
    else:
        assert store.engine == "sqlite"
        assert ids(store) == ["a"]


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_a_transaction_that_guest_code_ended_is_not_taken_for_committed(store, end):
    with pytest.raises(TransactionError), store.writer():
        add_by_peewee("a")
        MediaLibrary._meta.database.execute_sql(end)
    assert ids(store) == (["a"] if end == "COMMIT" else [])


def test_a_savepoint_that_guest_code_ended_is_reported(store):
    with pytest.raises(Exception, match="savepoint"), store.writer():
        with store.writer():
            MediaLibrary._meta.database.execute_sql("RELEASE SAVEPOINT viewra_0")
    add(store, "a")


def test_a_session_object_may_be_entered_again(store):
    session = store.writer()
    with session:
        add(store, "a")
        with pytest.raises(ZeroDivisionError), session:
            add(store, "b")
            1 / 0
    reading = store.reader()
    with session, reading, reading:
        assert MediaLibrary.select().count() == 1
    with reading:
        assert MediaLibrary.select().count() == 1


def test_a_generator_may_be_finished_by_another_thread(store):
    def rows():
        with store.reader():
            yield MediaLibrary.select().count()
            yield MediaLibrary.select().count()

    def batches():
        with store.writer():
            add(store, "b")
            yield

    add(store, "a")
    reading = rows()
    assert next(reading) == 1
    with pytest.raises(TransactionError):
        in_thread(lambda: next(reading))
    writing = batches()
    next(writing)
    in_thread(lambda: list(writing))
    # This thread has no session any more, and nothing is held.
    with pytest.raises(TransactionError):
        MediaLibrary.select().count()
    with store.writer():
        add(store, "c")
    assert ids(store) == ["a", "b", "c"]


def test_an_abandoned_generator_rolls_back_and_gives_everything_back(store):
    def batches():
        with store.writer():
            add(store, "a")
            yield

    writing = batches()
    next(writing)
    del writing
    add(store, "b")
    assert ids(store) == ["b"]


def test_a_query_left_half_read_holds_no_snapshot(store):
    for name in "abc":
        add(store, name)
    left = []
    for session in (store.reader, store.writer):
        with session():
            rows = MediaLibrary.select().iterator()
            next(rows)
            left.append(rows)
    in_thread(lambda: add(store, "d"))
    for _ in range(12):
        assert ids(store) == ["a", "b", "c", "d"]
    add(store, "e")
    with store.writer():
        assert MediaLibrary.select().count() == 5


# after_commit


def test_after_commit_runs_once_in_order_and_after_the_commit(store):
    seen = []
    with store.writer():
        add(store, "a")
        store.after_commit(lambda: seen.append(("first", in_thread(lambda: ids(store)))))
        with store.writer():
            store.after_commit(lambda: seen.append("second"))
        with store.reader():
            store.after_commit(lambda: seen.append("third"))
        MediaLibrary._meta.database.after_commit(lambda: seen.append("peewee's"))
        assert seen == []
    assert seen == [("first", ["a"]), "second", "third", "peewee's"]
    with store.writer():
        pass
    assert len(seen) == 4


def test_after_commit_does_not_run_after_a_rollback(store):
    seen = []
    with pytest.raises(ZeroDivisionError), store.writer():
        store.after_commit(lambda: seen.append("outer"))
        1 / 0
    with store.writer():
        store.after_commit(lambda: seen.append("before"))
        with pytest.raises(ZeroDivisionError), store.writer():
            store.after_commit(lambda: seen.append("inner"))
            with store.writer():
                store.after_commit(lambda: seen.append("innermost"))
            1 / 0
        store.after_commit(lambda: seen.append("after"))
    assert seen == ["before", "after"]


def test_after_commit_does_not_run_when_the_commit_fails(store):
    seen = []
    with pytest.raises(TransactionError), store.writer():
        store.after_commit(lambda: seen.append(1))
        MediaLibrary._meta.database.execute_sql("ROLLBACK")
    assert seen == []


def test_a_callback_that_raises_undoes_nothing_and_stops_no_other(store):
    seen = []
    with pytest.raises(KeyError), store.writer():
        add(store, "a")
        store.after_commit(lambda: {}["missing"])
        store.after_commit(lambda: seen.append("second"))
    assert seen == ["second"]
    assert ids(store) == ["a"]


def test_a_callback_may_open_sessions_and_ask_for_more_callbacks(store):
    seen = []

    def write_more():
        with store.writer():
            add(store, "b")
            store.after_commit(lambda: seen.append(ids(store)))
        store.after_commit(lambda: seen.append("at once"))

    with store.writer():
        add(store, "a")
        store.after_commit(write_more)
    assert seen == [["a", "b"], "at once"]


def test_after_commit_runs_at_once_outside_a_writer(store):
    seen = []
    store.after_commit(lambda: seen.append("outside"))
    with store.reader():
        store.after_commit(lambda: seen.append("reader"))
        assert seen == ["outside", "reader"]


# Threads


def test_sessions_of_threads_do_not_meet(store, db):
    inside = threading.Barrier(4, timeout=WAIT_S)

    def read(number):
        with store.reader():
            inside.wait()
            return db.in_transaction, MediaLibrary.select().count()

    assert in_threads(4, read) == [(True, 0)] * 4
    assert not db.in_transaction


def test_transactions_that_read_and_then_write_all_commit(store, db):
    """8 threads, one row. PostgreSQL needs the row locked, as it says of READ COMMITTED."""
    add(store, "a")

    def count_up(number):
        for _ in range(40):
            with store.writer():
                row = MediaLibrary.select().where(MediaLibrary.id == "a")
                if store.engine == "postgres":
                    row = row.for_update()
                MediaLibrary.update(scan_interval=row.get().scan_interval + 1).execute()

    in_threads(8, count_up)
    assert db.one(interval_of, "a") == (320,)


def test_single_statements_of_threads_all_commit(store):
    in_threads(8, lambda number: [add(store, f"{number}-{n}") for n in range(50)])
    assert len(ids(store)) == 400


def test_a_writer_that_waits_too_long_is_told_that_the_store_is_busy(store_config):
    import dataclasses

    from viewra_lite import Store, load_config

    config = dataclasses.replace(load_config(store_config), busy_timeout_ms=50)
    with Store.open(config) as store:
        add(store, "a")
        held, done = threading.Event(), threading.Event()

        def hold():
            with store.writer():
                store.media.db.run(set_interval, 1, "a")
                held.set()
                done.wait(WAIT_S)

        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(WAIT_S)
        try:
            with pytest.raises(StoreBusyError), store.writer():
                store.media.db.run(set_interval, 2, "a")
            with pytest.raises(StoreBusyError):
                store.media.db.run(set_interval, 2, "a")
        finally:
            done.set()
            holder.join()
        store.media.db.run(set_interval, 3, "a")
        assert store.media.db.one(interval_of, "a") == (3,)


def test_what_is_read_and_then_written_in_a_writer_is_never_lost(store, db):
    """Eight threads count in one row; each reads it first, as a room's verb may."""
    with store.writer():
        MediaLibrary.create(
            id="counter",
            name="n",
            path="/counted",
            type="movie",
            scan_interval=0,
            created_at=db.now(),
            updated_at=db.now(),
        )

    def count():
        for _ in range(10):
            with store.writer():
                library = MediaLibrary.get_by_id("counter")
                library.scan_interval += 1
                library.save()

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.media.library("counter").scan_interval == 80
