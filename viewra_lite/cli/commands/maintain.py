"""viewra-lite maintain: run the chores that are due, once or in a loop."""

from __future__ import annotations

import time
from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, NoReturn

from ..complaints import UsageError, reason
from ..exit_codes import DONE, NOT_WELL
from ..opening import existing
from ..output import complain, note, others_apart, print_json, say

if TYPE_CHECKING:
    from ...maintenance.chores import ChoreResult
    from ...store import Store
    from ..parser import Commands

_LOOK_EVERY_S = 30.0


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "maintain",
        run_maintain,
        "run the chores that are due, such as the daily backup",
        "Run the chores that are due: the daily backup, files and sessions to forget, the log and "
        "the free space of the database, and the plugins that are on. Beside a server that runs "
        "them itself, each still runs once. The exit code is 1 if a chore failed.",
        example="maintain --only backup",
    )
    parser.add_argument(
        "--loop", action="store_true", help="look again every half minute, until Ctrl-C or SIGTERM"
    )
    parser.add_argument("--only", metavar="NAME", help="run one chore, due or not")


def run_maintain(args: Namespace) -> int:
    """Run the chores that are due."""
    if args.loop and args.only is not None:
        raise UsageError("--loop and --only exclude each other (see viewra-lite maintain --help)")
    with existing(args) as store:
        store.plugins.discover()
        if args.loop:
            _loop(args, store)
        with others_apart(args.json):
            if args.only is None:
                results = store.maintenance.run_due()
            else:
                results = [store.maintenance.run(_checked(store, args.only))]
    if args.json:
        print_json({"chores": list(map(asdict, results))})
    else:
        _print(results)
        if not results:
            note("No chore is due")
    return NOT_WELL if any(result.error for result in results) else DONE


def _checked(store: Store, name: str) -> str:
    names = [chore.name for chore in store.maintenance.chores()]
    if name not in names:
        raise UsageError(f"unknown chore {name!r}: the chores are {', '.join(names)}")
    return name


def _loop(args: Namespace, store: Store) -> NoReturn:
    """Run due chores again and again, until a signal; a chore that it interrupts stays due."""
    import signal

    from ...errors import StoreBusyError, StoreUnavailableError

    for ends in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ends, _end)
    note("Running the chores as they become due; Ctrl-C ends it")
    while True:
        try:
            with others_apart(args.json):
                results = store.maintenance.run_due()
        except (StoreBusyError, StoreUnavailableError) as exc:
            complain(f"error: {reason(exc)}")
            results = []
        said = [result for result in results if result.done or result.error]
        if args.json and said:
            print_json({"chores": list(map(asdict, said))})
        elif not args.json:
            _print(said)
        time.sleep(_LOOK_EVERY_S)


def _end(*_: object) -> NoReturn:
    # Not KeyboardInterrupt: where it passes through exec(), as of an import, Python ends the
    # process with SIGINT in place of its exit code, although it was caught.
    raise SystemExit(DONE)


def _print(results: list[ChoreResult]) -> None:
    for result in results:
        if result.error:
            complain(f"{result.name} failed: {result.error}")
        else:
            say(f"{result.name}: {result.done or 'nothing to do'} ({result.seconds:.1f} s)")
