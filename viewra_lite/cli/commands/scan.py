"""viewra-lite scan: add a folder as a library, and update the store from the disk."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..arguments import named
from ..choices import chosen_library, matching_libraries
from ..complaints import UsageError, reason
from ..exit_codes import DONE, NOT_WELL
from ..opening import created, existing
from ..output import complain, note, print_json, print_table, say
from ..progress import scan_progress
from ..remedies import command

if TYPE_CHECKING:
    from ...media.models import MediaLibrary
    from ...media.scanning.facts import ScanResult
    from ...store import Store
    from ..parser import Commands

_TYPES = ("movie", "tv", "music")
_NUMBERS = ("added", "updated", "moved", "removed", "unchanged", "missing", "errors")
_PROBLEMS_SHOWN = 5


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "scan",
        run_scan,
        "scan a folder, or every library that is due",
        "Scan a folder, which is added as a library if it is not one yet; without PATH, every "
        "library that is due. An interrupted scan is resumed. The exit code is 1 if a library "
        "could not be scanned, or if so many files have vanished that none was marked missing.",
        example="scan ~/films --type movie --name Films",
    )
    parser.add_argument(
        "path", metavar="PATH", nargs="?", help="the folder of a library, or its name or id"
    )
    parser.add_argument("--type", choices=_TYPES, help="what a new library holds")
    parser.add_argument("--name", type=named, help="a new library's name; default: the folder's")
    parser.add_argument(
        "--accept-missing",
        action="store_true",
        help="mark vanished files missing, however many they are",
    )
    parser.add_argument(
        "--folder", metavar="FOLDER", help="scan only this folder of the library; the rest stays"
    )
    parser.add_argument(
        "--cancel", action="store_true", help="end the running scan of a library, in any process"
    )
    parser.add_argument(
        "--watch",
        action="store_true",
        help="then scan folders that change, until Ctrl-C; not on network shares",
    )
    parser.add_argument("--all", action="store_true", help="scan every library, due or not")


def run_scan(args: Namespace) -> int:
    """Scan the libraries that the arguments select."""
    _refuse_conflicts(args)
    if args.cancel:
        return _cancel(args)
    # Only adding a folder creates the store.
    with (created if args.type else existing)(args) as store:
        libraries = _chosen(store, args)
        scans = [(library, _scanned(store, library, args)) for library in libraries]
        finished = [(library, result) for library, result in scans if result is not None]
        if args.watch:
            _print_scans(args, finished)
            _watch(store)
    if args.json:
        print_json({"scans": [_scan_facts(*scan) for scan in finished]})
    else:
        _print_scans(args, finished)
    well = len(finished) == len(scans) and not any(result.frozen for _, result in finished)
    return DONE if well else NOT_WELL


def _watch(store: Store) -> None:
    """Scan what changes, until Ctrl-C."""
    from threading import Event

    names = {library.id: library.name for library in store.media.libraries()}

    def scanned(library_id: str, result: ScanResult) -> None:
        said = [f"{getattr(result, name)} {name}" for name in _NUMBERS if getattr(result, name)]
        note(f"{names.get(library_id, library_id)}: {', '.join(said) or 'nothing new'}")

    with store.media.watch(scanned=scanned):
        note("Watching all libraries, but no network shares; Ctrl-C ends it")
        Event().wait()


def _cancel(args: Namespace) -> int:
    with existing(args) as store:
        library = chosen_library(store, args.path, command(args, "libraries"))
        is_running = store.media.cancel_scan(library.id)
    if args.json:
        print_json({"cancelled": is_running})
    elif is_running:
        say(f"{library.name}: the scan ends in a moment; the next one continues it")
    else:
        note(f"{library.name} is not being scanned")
    return DONE


def _refuse_conflicts(args: Namespace) -> None:
    if args.path is None and (args.type or args.name is not None):
        raise UsageError("--type and --name belong to a PATH (see viewra-lite scan --help)")
    if args.path is None and args.folder is not None:
        raise UsageError(
            "--folder is a folder of the library that PATH names (see viewra-lite scan --help)"
        )
    if args.cancel and (args.path is None or args.type or args.folder is not None):
        raise UsageError("--cancel takes only the PATH, name or id of a library")
    if args.watch and args.json:
        raise UsageError("--watch and --json exclude each other (see viewra-lite scan --help)")
    if args.path is not None and args.all:
        raise UsageError("a PATH and --all exclude each other (see viewra-lite scan --help)")


# Which libraries


def _chosen(store: Store, args: Namespace) -> Sequence[MediaLibrary]:
    if args.path is not None:
        return [_library_at(store, args)]
    libraries = store.media.libraries()
    if not libraries:
        adds = command(args, "scan", "PATH", "--type", "movie")
        note(f"No library yet: {adds} adds one")
        return []
    due = libraries if args.all else store.media.libraries_due()
    if not due:
        note(f"No library is due: {command(args, 'scan', '--all')} scans every one")
    return due


def _library_at(store: Store, args: Namespace) -> MediaLibrary:
    library = store.media.find_library(args.path)
    if library is None:
        if args.type or not matching_libraries(store.media.libraries(), args.path):
            return _added(store, args)
        library = chosen_library(store, args.path, command(args, "libraries"))
    for option, given, stored in (
        ("--type", args.type, library.type),
        ("--name", args.name, library.name),
    ):
        if given is not None and given != stored:
            raise UsageError(
                f"{library.path} is already the library {library.name} of type {library.type}: "
                f"leave {option} out"
            )
    return library


def _added(store: Store, args: Namespace) -> MediaLibrary:
    path = os.path.abspath(args.path)
    if args.type is None:
        if not os.path.exists(path):
            raise UsageError(f"there is neither a folder nor a library {args.path!r}")
        raise UsageError(
            f"{args.path} is not a library yet: "
            f"{command(args, 'scan', args.path, '--type', 'movie')} adds it "
            "(or --type tv, or music)"
        )
    name = args.name if args.name is not None else os.path.basename(path) or path
    return store.media.add_library(_as_text(name), path, args.type)


def _as_text(name: str) -> str:
    """Return a folder's name as valid text: bytes that are not UTF-8 become �."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


# Scanning


def _scanned(store: Store, library: MediaLibrary, args: Namespace) -> ScanResult | None:
    """Scan one library; print the error and return None on failure, to continue with the next."""
    from ...errors import ConflictError, NotFoundError

    note(f"{library.name}: scanning {args.folder or library.path}")
    try:
        with scan_progress(library.name) as progress:
            return store.media.scan(
                library.id,
                folder=args.folder,
                progress=progress,
                accept_missing=args.accept_missing,
            )
    except (ConflictError, NotFoundError) as exc:
        complain(f"error: {reason(exc)}")
        return None


def _scan_facts(library: MediaLibrary, result: ScanResult) -> dict[str, Any]:
    names = ("id", "name", "type", "path")
    return {"library": {name: getattr(library, name) for name in names}, **asdict(result)}


# Results


def _print_scans(args: Namespace, scans: Sequence[tuple[MediaLibrary, ScanResult]]) -> None:
    if not scans:
        return
    rows = [
        (library.name, *(getattr(result, name) for name in _NUMBERS), f"{result.seconds:.1f}")
        for library, result in scans
    ]
    print_table(("library", *_NUMBERS, "seconds"), rows, numbers=(*_NUMBERS, "seconds"))
    for library, result in scans:
        _print_remarks(args, library, result)
    lacking = sorted({package for _, result in scans for package in result.not_probed})
    if lacking:
        say(
            f"Not installed, so some metadata was not read: {', '.join(lacking)}. Run "
            f"pip install {' '.join(lacking)}, then {command(args, 'scan', '--all')}"
        )


def _print_remarks(args: Namespace, library: MediaLibrary, result: ScanResult) -> None:
    left = result.probed - result.added - result.updated - result.moved
    if left > 0:
        say(f"{library.name}: {left} files were read that an earlier scan had not read")
    if result.ignored:
        left_out = ", ".join(f"{why} {number}" for why, number in sorted(result.ignored.items()))
        say(f"{library.name}: left out: {left_out}")
    if result.cancelled:
        say(f"{library.name}: cancelled; the next scan continues")
    if result.frozen:
        part = () if args.folder is None else ("--folder", args.folder)
        again = command(args, "scan", library.path, *part, "--accept-missing")
        # The store's remedy for a program becomes a command to type.
        reason = result.frozen.replace("scan again with accept_missing=True", f"run {again}")
        say(f"{library.name}: frozen: {reason}")
    if result.in_process:
        say(f"{library.name}: no worker process read the files: {result.in_process}")
    if result.unplaced:
        say(
            f"{library.name}: {result.unplaced} files belong to no movie, episode or track; see "
            f"{command(args, 'status', '--problems')}"
        )
    for problem in result.problems[:_PROBLEMS_SHOWN]:
        say(f"{library.name}: {problem.path}: {problem.message}")
    more = result.errors - min(len(result.problems), _PROBLEMS_SHOWN)
    if result.problems and more > 0:
        say(f"{library.name}: and {more} more")
