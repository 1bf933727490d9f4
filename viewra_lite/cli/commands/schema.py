"""viewra-lite migrate, schema: migrate a store, and print its tables as SQL."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..arguments import asking
from ..exit_codes import DONE, NOT_WELL
from ..opening import looking
from ..output import note, print_json, say
from ..progress import is_shown

if TYPE_CHECKING:
    from ...database.migrations.plan import Step
    from ..parser import Commands


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    migrate = commands.add(
        "migrate",
        run_migrate,
        "migrate an existing store to this version",
        example="migrate --plan",
    )
    migrate.add_argument(
        "--plan",
        action="store_true",
        help="print the pending migrations and change nothing; exit code 1 if there are any",
    )
    migrate.add_argument(
        "--to", metavar="MODULE:NUMBER", help="the last migration to run, such as media:2"
    )
    schema = commands.add(
        "schema",
        run_schema,
        "print the tables as SQL; needs no store",
        example="schema --dialect postgres",
    )
    schema.add_argument(
        "--dialect", choices=("sqlite", "postgres"), default="sqlite", help="default: sqlite"
    )


def run_migrate(args: Namespace) -> int:
    """Apply the pending migrations, or print them."""
    if args.plan:
        return _print_plan(args)
    with looking(args) as store, asking():
        scripts = store.migrations.apply(_note_progress, to=args.to)
    names = [{"module": script.module, "name": script.name} for script in scripts]
    if args.json:
        print_json({"applied": names})
        return DONE
    for script in scripts:
        say(f"applied: {script.module} {script.name}")
    if not scripts:
        say("The store is up to date")
    return DONE


def _note_progress(name: str, done: int, total: int) -> None:
    """Print a step as it begins, and every so many chunks of one that runs in chunks."""
    step, _, chunk = name.partition(", chunk ")
    if not chunk or is_shown(int(chunk)):
        note(f"{done + 1} of {total}: {step}" + f", {chunk} chunks done" * bool(chunk))


def _print_plan(args: Namespace) -> int:
    with looking(args) as store:
        steps = store.migrations.plan()
    if args.json:
        print_json({"pending": [step._asdict() for step in steps]})
    for step in () if args.json else steps:
        begun = "" if step.chunks is None else f" ({step.chunks} chunks done)"
        say(f"pending: {step.module} {step.name}{begun}: {step.summary}")
        say(_effect(step))
    if not steps and not args.json:
        say("The store is up to date")
    return NOT_WELL if steps else DONE


def _effect(step: Step) -> str:
    tables = f"{', '.join(step.tables)} ({step.rows} rows)" if step.tables else "new tables only"
    how = ", copied as a whole" if step.needs_rebuild else ""
    backup = ", after a backup" if step.takes_backup else ""
    return f"  changes {tables}{how}; about {step.seconds:.0f} s{backup}"


def run_schema(args: Namespace) -> int:
    """Print the commented DDL."""
    from ...database.migrations.schema import render
    from ...built_in import BUILT_IN

    sql = render([module.module() for module in BUILT_IN], args.dialect)
    if args.json:
        print_json({"dialect": args.dialect, "sql": sql})
    else:
        print(sql, end="")
    return DONE
