"""viewra-lite doctor: check the store and print what should be done about it."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING

from ..arguments import asking
from ..exit_codes import DONE, NOT_WELL
from ..opening import configured
from ..output import note, print_facts, print_json
from ..remedies import say_finding

if TYPE_CHECKING:
    from ..parser import Commands


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    parser = commands.add(
        "doctor",
        run_doctor,
        "check the store, also one that cannot be opened",
        "Check the store and print each finding with its remedy. Only reads, also beside a busy "
        "server. Works with a store that is damaged, newer, not migrated or in use. The exit code "
        "is 1 if it is not well; information alone is well.",
        example="doctor --json",
    )
    parser.add_argument("--list", action="store_true", help="print the ids of the checks")
    parser.add_argument(
        "--only", metavar="ID", action="append", help="run this check only; may be repeated"
    )
    parser.add_argument(
        "--ignore",
        metavar="ID",
        action="append",
        default=[],
        help="leave this check out; may be repeated",
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="first repair permissions, the journal mode, the search index and statistics",
    )


def run_doctor(args: Namespace) -> int:
    """Print what the checks find."""
    from ...database.findings import is_well
    from ...store import Store

    if args.list:
        return _print_checks(args)
    with asking():
        findings = Store.check(configured(args), only=args.only, ignore=args.ignore, fix=args.fix)
    well = is_well(findings)
    if args.json:
        print_json({"well": well, "findings": list(map(asdict, findings))})
        return DONE if well else NOT_WELL
    for finding in findings:
        say_finding(args, **asdict(finding))
    if well:
        note("The store is well")
    return DONE if well else NOT_WELL


def _print_checks(args: Namespace) -> int:
    from ...maintenance.doctor.checks import ABOUT

    if args.json:
        print_json({"checks": [{"id": id, "about": about} for id, about in ABOUT.items()]})
    else:
        print_facts(ABOUT)
    return DONE
