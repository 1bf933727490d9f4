"""viewra-lite import, export: watch history from other services, and a user's own data."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..arguments import asking, user
from ..choices import short_ids, whole_id
from ..exit_codes import DONE, NOT_WELL
from ..opening import existing
from ..output import note, print_json, print_table, say
from ..parser import Commands
from ..progress import scan_progress
from ..remedies import command

if TYPE_CHECKING:
    from ...importing.results import ImportResult

_MOST_LISTED = 200
_FACTS = (
    "id",
    "source",
    "format",
    "user_id",
    "started_at",
    "finished_at",
    "undone_at",
    "total",
    "imported",
    "already",
    "left_out",
    "unmatched",
)


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    about = "import watch history from another service"
    below = Commands(
        commands.add("import", run_list, about, example="import watched watched.csv --dry-run"),
        "what",
        required=True,
    )
    _add_watched(below, about)
    below.add("list", run_list, "list the imports, the latest first", example="import list")
    undo = below.add(
        "undo",
        run_undo,
        "undo an import",
        "Undo the changes of an import. Later changes are kept.",
        example="import undo 0192f3c1",
    )
    undo.add_argument("id", metavar="ID", help="the import's id, as `import list` shows it")
    about = "export all watch data of a user"
    below = Commands(
        commands.add("export", run_export, about, example="export watched anna"),
        "what",
        required=True,
    )
    export = below.add(
        "watched",
        run_export,
        about,
        "Write a user's progress, history and marks as JSON, with external ids. The import "
        "watched command reads it, also in another store.",
        example="export watched anna --output anna.json",
    )
    export.add_argument("user", metavar="USER", type=user, help="the user's id")
    export.add_argument(
        "--output", metavar="FILE", help="a new file to write; default: standard output"
    )


def _add_watched(below: Commands, about: str) -> None:
    watched = below.add(
        "watched",
        run_watched,
        about,
        "Import a file as it was downloaded from Trakt, Tautulli, Jellyfin's Playback Reporting, "
        "Letterboxd, Simkl, IMDb, Netflix, Kodi, Last.fm, ListenBrainz or Yamtrack, or a CSV or "
        "JSON list. Existing data is not changed, so a file can be imported again. Rows without a "
        "match in the library are written to a CSV file beside it, to correct and import, and are "
        "matched again after each scan. The exit code is 1 if a row did not match.",
        example="import watched watched.csv --user anna --dry-run",
    )
    watched.add_argument("file", metavar="FILE", help="the export: CSV, JSON, XML or ZIP")
    watched.add_argument(
        "--user",
        metavar="USER",
        type=user,
        help="the user's id; default: the user that each row names (the only choice if they name "
        "several)",
    )
    watched.add_argument(
        "--format", metavar="NAME", help="format of the file, if it is not recognised"
    )
    watched.add_argument(
        "--timezone",
        metavar="ZONE",
        help="zone of times without one, such as Europe/Berlin; default: UTC",
    )
    watched.add_argument(
        "--dry-run", action="store_true", help="print what would be imported and change nothing"
    )


def run_watched(args: Namespace) -> int:
    """Import a file of plays."""
    from ...importing.module import zone_of
    from ...importing.reading import parts_of

    with asking():  # before the store is opened
        zone = zone_of(args.timezone)
        parts_of(args.file)
    with existing(args) as store, asking(), scan_progress(os.path.basename(args.file)) as progress:
        result = store.importing.watched(
            args.file,
            user_id=args.user,
            format=args.format,
            timezone=zone,
            dry_run=args.dry_run,
            progress=progress,
        )
    written = None if args.dry_run else _write_unmatched(args.file, result)
    if args.json:
        print_json({"dry_run": args.dry_run, "unmatched_file": written, **_facts(result)})
    else:
        _print_result(args, result, written)
    return NOT_WELL if result.unmatched else DONE


def _facts(result: ImportResult) -> dict[str, Any]:
    facts = asdict(result)
    for row in (*facts["unmatched"], *facts["left_out"]):
        del row["record"]
    return facts


def _write_unmatched(source: str, result: ImportResult) -> str | None:
    """Write the unmatched rows to a new file beside the export; return its name or None."""
    from ...errors import InvalidValueError

    if not result.unmatched:
        return None
    stem = os.path.splitext(source)[0]
    for number in range(1, 100):
        name = f"{stem}.unmatched{'' if number == 1 else f'-{number}'}.csv"
        if not os.path.lexists(name):
            try:
                result.write_unmatched(name)
                return name
            except InvalidValueError as exc:
                note(str(exc))
                return None
    return None


def _print_result(args: Namespace, result: ImportResult, written: str | None) -> None:
    say(f"Format: {result.format}")
    if result.unmatched:
        rows = [
            (row.number, row.what, row.why, "; ".join(row.near))
            for row in result.unmatched[:_MOST_LISTED]
        ]
        print_table(("line", "what", "why not", "the library has"), rows, numbers=("line",))
        if len(result.unmatched) > _MOST_LISTED:
            say(f"and {len(result.unmatched) - _MOST_LISTED} more")
    for why, count in Counter(row.why for row in result.left_out).most_common(20):
        named = next(row for row in result.left_out if row.why == why)
        rest = f" and {count - 1} more" if count > 1 else ""
        say(f"Left out: line {named.number}, {named.what}{rest}: {why}")
    say(
        f"{result.imported} of {result.total} {'would be ' if args.dry_run else ''}imported, "
        f"{result.already} already known, {len(result.left_out)} left out, "
        f"{len(result.unmatched)} not matched"
    )
    if written is not None:
        note(f"The rows that did not match are in {written}: correct and import it")
    if result.id is not None:
        note(f"To undo: {command(args, 'import', 'undo', result.id)}")


def run_list(args: Namespace) -> int:
    """List the imports."""
    with existing(args) as store:
        imports = store.importing.list()
    if args.json:
        print_json({"imports": [{name: getattr(one, name) for name in _FACTS} for one in imports]})
    elif imports:
        short = short_ids([one.id for one in imports])
        print_table(
            ("id", "when", "file", "format", "user", "imported", "state"),
            [
                (
                    short[one.id],
                    one.started_at,
                    one.source,
                    one.format,
                    one.user_id,
                    one.imported,
                    _state(one),
                )
                for one in imports
            ],
            numbers=("imported",),
        )
    else:
        note("Nothing was imported")
    return DONE


def _state(one: Any) -> str:
    if one.undone_at is not None:
        return "undone"
    return "done" if one.finished_at is not None else "interrupted: import it again"


def run_undo(args: Namespace) -> int:
    """Undo an import."""
    with existing(args) as store, asking():
        ids = [one.id for one in store.importing.list()]
        id = whole_id(args.id, ids, "import", command(args, "import", "list"))
        count = store.importing.undo(id)
    if args.json:
        print_json({"id": id, "changes": count})
    else:
        say(f"Undone: {count} plays and states")
    return DONE


def run_export(args: Namespace) -> int:
    """Write a user's data."""
    with existing(args) as store, asking():
        document = store.importing.export(args.user)
    if args.output is None:
        json.dump(document, sys.stdout, indent=1)
        say("")
        return DONE
    from ...errors import InvalidValueError

    with asking():
        try:
            with open(args.output, "x", encoding="utf-8") as file:
                json.dump(document, file, indent=1)
        except (OSError, ValueError) as exc:
            why = getattr(exc, "strerror", None) or "its name is not valid"
            raise InvalidValueError(f"{args.output}: cannot be written: {why}") from exc
    note(f"{len(document['items'])} titles are in {args.output}")
    return DONE
