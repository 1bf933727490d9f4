"""Scopes that are left in another order, by another task, or not at all."""

from __future__ import annotations

import asyncio
import gc
import sys
from contextlib import ExitStack

import pytest

from tests.support.rows import add, add_by_peewee, ids
from tests.support.threads import in_thread
from viewra_lite import Store
from viewra_lite.errors import TransactionError
from viewra_lite.media.models import MediaLibrary


def check(store):
    """See that nothing is held: this thread and others read, write and keep what they wrote."""
    before = set(ids(store))
    for id, run in (("here", lambda action: action()), ("there", in_thread)):
        if id in before:
            with store.writer():
                MediaLibrary.delete().where(MediaLibrary.id == id).execute()
        run(lambda: add(store, id))
        assert id in run(lambda: ids(store))
    with store.writer(), store.writer(), store.reader():
        pass
    with store.writer():
        MediaLibrary.delete().where(MediaLibrary.id << ["here", "there"]).execute()


# Another order


def writing(store, id):
    with store.writer():
        add(store, id)
        yield


def reading(store):
    with store.reader():
        yield MediaLibrary.select().count()


def test_writers_that_are_left_in_another_order_roll_back_and_say_so(store):
    first, second = writing(store, "a"), writing(store, "b")
    next(first), next(second)
    with pytest.raises(TransactionError, match="another order .*asyncio.to_thread"):
        next(first)
    with pytest.raises(
        TransactionError, match="the transaction was rolled back: .*asyncio.to_thread"
    ):
        next(second)
    assert ids(store) == []
    check(store)


def test_a_reader_in_a_writer_that_is_left_after_it_rolls_back(store):
    first, second = writing(store, "a"), reading(store)
    next(first), next(second)
    with pytest.raises(TransactionError, match="another order"):
        next(first)
    with pytest.raises(TransactionError, match="another order"):
        next(second)
    assert ids(store) == []
    check(store)


def test_the_own_error_of_who_leaves_in_another_order_is_not_hidden(store):
    first, second = writing(store, "a"), writing(store, "b")
    next(first), next(second)
    with pytest.raises(ZeroDivisionError):
        first.throw(ZeroDivisionError())
    with pytest.raises(TransactionError, match="the transaction was rolled back"):
        next(second)
    assert ids(store) == []
    check(store)


def test_what_comes_between_never_counts_as_committed(store):
    first, second = writing(store, "a"), writing(store, "b")
    next(first), next(second)
    add(store, "c")
    first.close()
    del first
    with pytest.raises(TransactionError):
        next(second)
    assert ids(store) == []
    check(store)


def test_readers_end_in_whatever_order(store):
    add(store, "a")
    readers = [reading(store) for _ in range(3)]
    assert [next(rows) for rows in readers] == [1, 1, 1]
    for order in (0, 2, 1):
        assert next(readers[order], None) is None
    check(store)


def test_one_scope_that_is_entered_twice_is_left_twice(store):
    scope = store.writer()
    with scope, scope:
        add(store, "a")
    with ExitStack() as stack:
        stack.enter_context(scope)
        stack.enter_context(scope)
        add(store, "b")
    scope.__enter__()
    add(store, "c")
    scope.__exit__(None, None, None)
    with pytest.raises(TransactionError):
        scope.__exit__(None, None, None)
    assert ids(store) == ["a", "b", "c"]
    check(store)


# Another task


def two_tasks(first, second):
    """Run two coroutines in turns, the first one step ahead; return what each raised."""

    async def run():
        return await asyncio.gather(first(), second(), return_exceptions=True)

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["reader", "writer"])
@pytest.mark.parametrize("inner", ["reader", "writer", "verb", "peewee", "read", "after_commit"])
def test_a_task_that_uses_the_session_of_another_is_refused(store, kind, inner):
    async def holds():
        with getattr(store, kind)():
            if kind == "writer":
                add(store, "a")
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def joins():
        if inner in ("reader", "writer"):
            with getattr(store, inner)():
                add_by_peewee("b")
        elif inner == "verb":
            add(store, "b")
        elif inner == "read":
            store.media.libraries()
        elif inner == "after_commit":
            store.after_commit(lambda: None)
        else:
            add_by_peewee("b")

    held, joined = two_tasks(holds, joins)
    assert held is None and isinstance(joined, TransactionError), joined
    assert "asyncio.to_thread" in str(joined)
    assert ids(store) == (["a"] if kind == "writer" else [])
    check(store)


@pytest.mark.parametrize("kind", ["reader", "writer"])
def test_a_session_that_another_task_leaves_rolls_back_and_raises(store, kind):
    scope = getattr(store, kind)()

    async def enters():
        scope.__enter__()
        if kind == "writer":
            add(store, "a")

    async def leaves():
        scope.__exit__(None, None, None)

    entered, left = two_tasks(enters, leaves)
    assert entered is None and isinstance(left, TransactionError)
    assert "asyncio.to_thread" in str(left)
    assert ids(store) == []
    check(store)


def test_tasks_that_hold_no_session_over_an_await_get_on(store):
    async def write(id):
        with store.writer():
            add(store, id)
            with store.reader(), store.reader():
                pass
        await asyncio.sleep(0)
        await asyncio.to_thread(add, store, id * 2)

    async def run():
        await asyncio.gather(*(write(id) for id in "abc"))

    asyncio.run(run())
    assert ids(store) == sorted(["a", "aa", "b", "bb", "c", "cc"])
    check(store)


def test_a_task_that_is_cancelled_in_a_writer_rolls_back(store):
    async def holds():
        with store.writer():
            add(store, "a")
            await asyncio.sleep(60)

    async def run():
        task = asyncio.create_task(holds())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())
    assert ids(store) == []
    check(store)


# Never left


@pytest.mark.parametrize("kind", ["reader", "writer"])
def test_what_a_thread_that_ended_left_open_is_taken_back(store, kind):
    left = []

    def enter():
        generator = reading(store) if kind == "reader" else writing(store, f"{len(left)}")
        next(generator)
        left.append(generator)

    for _ in range(12):  # more than there are connections
        in_thread(enter)
    for _ in range(12):
        in_thread(getattr(store, kind)().__enter__)
    assert ids(store) == []
    check(store)
    for generator in left:
        if kind == "reader":
            assert next(generator, None) is None
        else:
            with pytest.raises(
                TransactionError, match="the transaction was rolled back: its thread"
            ):
                next(generator)
    check(store)


@pytest.mark.parametrize("kind", ["reader", "writer"])
def test_close_works_though_a_session_was_never_left(store_config, kind):
    for enter in (
        lambda: getattr(store, kind)().__enter__(),
        lambda: stack.enter_context(getattr(store, kind)()),
    ):
        with Store.open(store_config) as store, ExitStack() as closing:
            stack = ExitStack()
            closing.callback(stack.pop_all)
            enter()
        with Store.open(store_config) as store:
            assert ids(store) == []
            add(store, "a")
            with store.writer():
                MediaLibrary.delete().execute()
    gc.collect()


def test_close_in_another_task_ends_what_a_task_has_open(store_config):
    store = Store.open(store_config)

    async def holds():
        with store.writer():
            add(store, "a")
            await asyncio.sleep(0)

    async def closes():
        store.close()

    held, closed = two_tasks(holds, closes)
    assert closed is None
    assert isinstance(held, TransactionError) and "the store was closed" in str(held)
    with Store.open(store_config) as store:
        assert ids(store) == []


# Ctrl-C at every line of what enters and leaves


INTERRUPTIBLE = ("scopes.py", "sessions.py")


class Interruption:
    """Raises KeyboardInterrupt at the nth traced event in the code of sessions, once."""

    def __init__(self, at):
        self.at, self.seen, self.where = at, 0, None

    def __enter__(self):
        sys.settrace(self._call)
        return self

    def __exit__(self, *error):
        sys.settrace(None)

    def _call(self, frame, event, argument):
        code = frame.f_code
        if not code.co_filename.endswith(INTERRUPTIBLE) or code.co_name in UNINTERRUPTED:
            return None
        return self._line(frame, event, argument)

    def _line(self, frame, event, argument):
        if event in ("call", "line"):
            self.seen += 1
            if self.seen == self.at:
                self.where = f"{frame.f_code.co_name}:{frame.f_lineno}"
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._line


# Called by the interpreter as something dies: it prints what is raised there, and goes on.
UNINTERRUPTED = ("__del__", "died")


def one_writer(store):
    with store.writer():
        add(store, "a")


def nested_writers(store):
    with store.writer():
        add(store, "a")
        with store.writer():
            add(store, "b")
        with store.reader():
            pass


def nested_readers(store):
    with store.reader(), store.reader():
        MediaLibrary.select().count()


def durable_writer(store):
    with store.media.db.writer(durable=True):
        add(store, "a")


def writer_that_fails(store):
    with pytest.raises(ZeroDivisionError), store.writer():
        add(store, "a")
        1 / 0


@pytest.mark.parametrize(
    "work, keeps_traceback",
    [
        (nested_writers, True),
        (nested_readers, True),
        (durable_writer, True),
        (writer_that_fails, True),
        (one_writer, False),
    ],
)
def test_ctrl_c_at_any_line_of_a_session_leaves_nothing_open(store, work, keeps_traceback):
    """Whoever catches it writes on at once, in this thread and in others; also while it is kept."""
    work(store)  # compiled and connected
    clear(store)
    # In a thread that ends: an error raised by a trace function may stay "being handled" in its
    # thread for good, and would be the context of every later error there.
    in_thread(lambda: interrupt_everywhere(store, work, keeps_traceback))
    check(store)


def interrupt_everywhere(store, work, keeps_traceback):
    """Do the work once for each line that Ctrl-C may come at."""
    at, kept = 0, []
    while True:
        at += 1
        try:
            with Interruption(at) as interruption:
                work(store)
        except KeyboardInterrupt as exc:
            kept.append(exc if keeps_traceback else None)
            assert not store.media.db.in_transaction, interruption.where
            in_thread(lambda: add(store, "there"))
            add(store, "here")
            assert {"here", "there"} <= set(in_thread(lambda: ids(store))), interruption.where
        if interruption.where is None:
            break
        clear(store)
    assert at > 40
    clear(store)


def clear(store):
    with store.writer():
        MediaLibrary.delete().execute()


def test_close_works_after_ctrl_c_at_any_line(driver, tmp_path):
    del driver
    kept, at, interruption = [], 0, Interruption(0)
    while at == 0 or interruption.where:
        at += 5  # each open takes its time
        with Store.open(f"sqlite:///{tmp_path}/viewra.db") as store:
            clear(store)
            try:
                with Interruption(at) as interruption:
                    one_writer(store)
            except KeyboardInterrupt as exc:
                kept.append(exc)
    assert len(kept) > 10
