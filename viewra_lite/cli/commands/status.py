"""viewra-lite init, status: make the store, and say how it is."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from ..exit_codes import DONE, NOT_WELL
from ..opening import created, looking
from ..output import note, print_facts, print_json, printable, readable_size, say
from ..remedies import command

if TYPE_CHECKING:
    from ...store import Store
    from ..parser import Commands


_PROBLEMS_NAMED = 100
_OF_A_PROBLEM = ("path", "status", "missing_since", "error")


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    commands.add("init", run_init, "make the store, or bring it up to date, and say where it is")
    status = commands.add(
        "status",
        run_status,
        "say where the store is, how large, and what is in it",
        "Say where the store is, how large, and what is in it. Creates nothing; the exit code is 1 "
        "where there is no store, or where it waits for viewra-lite migrate.",
    )
    status.add_argument(
        "--problems", action="store_true", help="name the files that are missing or broken too"
    )


def run_init(args: Namespace) -> int:
    """Make the store and say where it is."""
    with created(args) as store:
        facts = {"engine": store.engine, "url": store.config.url}
    if args.json:
        print_json(facts)
    else:
        say(f"The store is ready: {facts['url']} ({facts['engine']})")
    return DONE


def run_status(args: Namespace) -> int:
    """Say how the store is."""
    with looking(args) as store:
        facts = _facts(store)
        if args.problems and facts["counts"] is not None:
            facts["problems"] = [
                {name: getattr(file, name) for name in _OF_A_PROBLEM}
                for file in store.maintenance.problems(_PROBLEMS_NAMED)
            ]
    if args.json:
        print_json(facts)
    else:
        _print_status(facts)
        if facts["counts"] is None:
            say(f"The store is older than this version: run {command(args, 'migrate')}")
    return DONE if facts["counts"] is not None else NOT_WELL


def _facts(store: Store) -> dict[str, Any]:
    schema = schema_by_module(store)
    is_pending = any(module["pending"] for module in schema)
    database = store.maintenance.database()
    return {
        "engine": store.engine,
        "url": store.config.url,
        **{name: value for name, value in database._asdict().items() if value is not None},
        "schema": schema,
        "counts": None if is_pending else dict(store.maintenance.statistics().counts),
    }


def schema_by_module(store: Store) -> list[dict[str, Any]]:
    """Return each module's applied and pending migrations; raises NewerSchemaError."""
    modules: dict[str, dict[str, Any]] = {}
    for script in store.migrations.status():
        name = script["module"]
        module = modules.setdefault(name, {"module": name, "applied": [], "pending": []})
        module["applied" if script["applied"] else "pending"].append(script["name"])
    return list(modules.values())


def _print_problems(files: list[dict[str, Any]]) -> None:
    for file in files:
        since = file["missing_since"]
        why = f"missing since {printable(since)}" if since else file["error"]
        say(f"{file['path']}: {why}")
    if not files:
        note("No file is missing or broken")
    if len(files) == _PROBLEMS_NAMED:
        say(f"... only the first {_PROBLEMS_NAMED} are named")


def _print_status(facts: dict[str, Any]) -> None:
    size = readable_size(facts["size"])
    if facts.get("log_size"):
        size += f" and {readable_size(facts['log_size'])} of log"
    print_facts(
        {
            "engine": facts["version"],
            **({"path": facts["path"]} if "path" in facts else {}),
            "url": facts["url"],
            "size": size,
            **{f"schema {module['module']}": _schema_state(module) for module in facts["schema"]},
            **{name.replace("_", " "): count for name, count in (facts["counts"] or {}).items()},
        }
    )
    if "problems" in facts:
        _print_problems(facts["problems"])


def _schema_state(module: dict[str, Any]) -> str:
    pending = ", ".join(module["pending"])
    return f"pending: {pending}" if pending else f"up to date ({module['applied'][-1]})"
