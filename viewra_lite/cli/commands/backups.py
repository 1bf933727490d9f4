"""viewra-lite backup, restore, recover: backups, and a new store made of a damaged one."""

from __future__ import annotations

from argparse import Namespace, ArgumentTypeError
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..exit_codes import DONE, NOT_WELL
from ..opening import configured, looking
from ..output import note, print_json, print_table, readable_size, say
from ..parser import Commands
from ..remedies import command
from ..times import time_shown

if TYPE_CHECKING:
    from ...database.backups.manifest import Backup
    from ...database.backups.recover import Recovered

_HEADINGS = ("created", "size", "rows", "kind", "verified", "path")


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    about = "create, list, check or remove backups"
    backup = commands.add("backup", run_create, about, example="backup")
    below = Commands(backup, "action", required=False)
    create = below.add(
        "create",
        run_create,
        "back the store up while it is used",
        "Copy the store while it is used, read the copy as a whole, check and count it, and only "
        "then give it its name. Without PATH it is written to the folder of backups, where older "
        "ones are then removed.",
        example="backup create /mnt/usb",
    )
    create.add_argument("path", metavar="PATH", nargs="?", help="a new file, or a folder")
    below.add("list", run_list, "list the backups, the newest first", example="backup list --json")
    verify = below.add(
        "verify",
        run_verify,
        "read a backup as a whole and check it",
        example="backup verify latest",
    )
    _add_backup(verify)
    prune = below.add(
        "prune",
        run_prune,
        "remove older backups",
        "Remove all but the newest backups, and the last three before upgrades. The last verified "
        "one always stays.",
        example="backup prune --keep 3",
    )
    prune.add_argument(
        "--keep", metavar="N", type=_keep, help="how many to keep; default: backup_keep"
    )
    restore = commands.add(
        "restore",
        run_restore,
        "make a backup the store again",
        "Check a backup as a whole and make it the store. The present store is moved aside, not "
        "overwritten. Stop the server first.",
        example="restore latest",
    )
    _add_backup(restore)
    recover = commands.add(
        "recover",
        run_recover,
        "make a sound store of a damaged file",
        "Read all rows left in a damaged file, take what it lost from the newest sound backup, and "
        "count both by table. Without --yes nothing is replaced. With it, the damaged files are "
        "moved aside, not overwritten. Stop the server first.",
        example="recover --yes",
    )
    recover.add_argument("--yes", action="store_true", help="replace the store")


def _add_backup(parser: Any) -> None:
    parser.add_argument(
        "path", metavar="PATH", nargs="?", default="latest", help="a backup; default: the latest"
    )


def _keep(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise ArgumentTypeError(f"expected a whole number, 1 to 1000, not {text!r}")
    return int(text)


def run_create(args: Namespace) -> int:
    """Create a backup."""
    from ...database.backups.read_only import back_up, is_read_only

    path, config = getattr(args, "path", None), configured(args)
    if is_read_only(config):
        from ...store import utc_now

        backup = back_up(config, path, utc_now)
    else:
        with looking(args) as store:
            backup = store.backups.create(path)
    _print_one(args, backup, "backed up")
    return NOT_WELL if backup.findings else DONE


def run_list(args: Namespace) -> int:
    """List the backups."""
    with looking(args) as store:
        backups, bad, folder = store.backups.list(), store.backups.bad(), store.backups.folder
    if args.json:
        print_json({"backups": list(map(_facts, backups)), "bad": bad})
    elif backups:
        print_table(_HEADINGS, map(_row, backups), numbers=("size", "rows"), texts=("path",))
    else:
        note(f"No backup in {folder}: {command(args, 'backup', 'create')} creates one")
    for path in bad:
        note(f"{path} failed its check; no backup is removed until one succeeds")
    return NOT_WELL if bad else DONE


def run_verify(args: Namespace) -> int:
    """Check a backup."""
    with looking(args) as store:
        backup = store.backups.verify(args.path)
    _print_one(args, backup, "sound")
    return DONE


def run_prune(args: Namespace) -> int:
    """Remove older backups."""
    with looking(args) as store:
        removed, bad = store.backups.prune(keep=args.keep), store.backups.bad()
    if args.json:
        print_json({"removed": removed, "bad": bad})
    else:
        for path in removed:
            say(f"removed {path}")
        if bad:
            note(f"Nothing was removed: {bad[-1]} failed its check")
        elif not removed:
            say("Nothing to remove")
    return NOT_WELL if bad else DONE


def run_restore(args: Namespace) -> int:
    """Restore a backup."""
    from ...store import Store

    restored = Store.restore(configured(args), args.path)
    if args.json:
        print_json(
            {
                "backup": _facts(restored.backup),
                "store": restored.store,
                "moved_to": restored.moved_to,
            }
        )
        return DONE
    say(f"restored {restored.backup.path} of {time_shown(restored.backup.created_at)}")
    say(f"to {restored.store}")
    if restored.moved_to:
        say(f"the store before is in {restored.moved_to}")
    return DONE


def run_recover(args: Namespace) -> int:
    """Recover a damaged store, or show what that would save."""
    from ...store import Store

    recovered = Store.recover(configured(args), dry_run=not args.yes)
    if args.json:
        from dataclasses import asdict

        backup = None if recovered.backup is None else _facts(recovered.backup)
        tables = [table._asdict() for table in recovered.tables]
        print_json({**asdict(recovered), "backup": backup, "tables": tables})
    else:
        _print_recovered(recovered)
        if not args.yes:
            note(f"Nothing was changed: {command(args, 'recover', '--yes')} replaces the store")
    return DONE if recovered.is_whole else NOT_WELL


def _print_recovered(recovered: Recovered) -> None:
    rows = [
        (
            table.name,
            table.saved,
            table.from_backup,
            f"{table.lost}{'' if table.is_exact else ' or more'}",
            table.made_again,
            table.detached,
        )
        for table in recovered.tables
        if table.saved or table.from_backup or not table.is_whole
    ]
    headings = ("table", "saved", "from backup", "lost", "made again", "detached")
    print_table(headings, rows, numbers=headings[1:])
    for finding in recovered.findings:
        note(f"look at this: {finding}")
    backup = recovered.backup
    of = f"the backup of {time_shown(backup.created_at)}: {backup.path}" if backup else "no backup"
    say(f"completed from {of}")
    say("everything is saved" if recovered.is_whole else "something is lost, or older than it was")
    if recovered.moved_to:
        say(f"the damaged files are in {recovered.moved_to}")


def _print_one(args: Namespace, backup: Backup, done: str) -> None:
    if args.json:
        print_json(_facts(backup))
        return
    rows = sum(backup.counts.values())
    say(f"{done}: {backup.path} ({readable_size(backup.size)}, {rows} rows)")
    for finding in backup.findings:
        note(f"look at this: {finding}")


def _facts(backup: Backup) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(backup)


def _row(backup: Backup) -> Sequence[object]:
    return (
        time_shown(backup.created_at),
        readable_size(backup.size),
        sum(backup.counts.values()) or "?",
        backup.kind,
        "yes" if backup.verified else "no",
        backup.path,
    )
