"""viewra-lite import: take over what another program knows."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from . import DONE, NOT_WELL
from .arguments import asking
from .opening import existing
from .output import print_json, print_table, say
from .parser import Commands
from .progress import scan_progress

if TYPE_CHECKING:
    from ..watched import WatchedImport


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    about = "import what people have watched elsewhere"
    below = Commands(commands.add("import", run_watched, about), "what", required=True)
    watched = below.add(
        "watched", run_watched, about,
        "Import what people have watched elsewhere from a CSV or JSON file, and list what is not "
        "in the library. What is known already stays as it is, so a file may be imported again. "
        "The exit code is 1 where something did not match.",
    )
    watched.add_argument("file", metavar="FILE", help="the export: CSV with a header, or JSON")
    watched.add_argument(
        "--user", metavar="USER", help="whose it is, by id; default: whom each row names"
    )
    watched.add_argument(
        "--dry-run", action="store_true", help="only say what would be imported"
    )


def run_watched(args: Namespace) -> int:
    """Import a file of plays."""
    from ..watched import import_watched
    from ..watched_file import read_watched

    with asking():
        records = read_watched(args.file)
    with existing(args) as store, scan_progress(os.path.basename(args.file)) as progress:
        result = import_watched(
            store, records, user_id=args.user, dry_run=args.dry_run, progress=progress
        )
    if args.json:
        print_json({"dry_run": args.dry_run, **asdict(result)})
    else:
        _print_result(result, args.dry_run)
    return NOT_WELL if result.unmatched else DONE


def _print_result(result: WatchedImport, dry_run: bool) -> None:
    if result.unmatched:
        rows = [(row.number, row.what, row.why) for row in result.unmatched]
        print_table(("line", "what", "why not"), rows, numbers=("line",))
    rest = f", {result.unwatched} not watched" if result.unwatched else ""
    say(
        f"{result.imported} of {result.total} {'would be ' if dry_run else ''}imported, "
        f"{result.already} known already{rest}, {len(result.unmatched)} not matched"
    )
