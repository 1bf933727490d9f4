"""viewra-lite init, status: create the store, and print its state."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..exit_codes import DONE, NOT_WELL
from ..opening import created, looking
from ..progress import PHASES
from ..output import complain, note, print_facts, print_json, printable, readable_size, say
from ..remedies import command, say_finding

if TYPE_CHECKING:
    from ...store import Store
    from ..parser import Commands


_PROBLEMS_SHOWN = 100
_SCAN_COLUMNS = ("folder", "phase", "done", "total", "errors", "started_at", "updated_at")
_UNPLACED = "belongs to no movie, episode or track: its name does not say which"
_CHECKS = ("store", "chores")  # what costs nothing; doctor runs all
_PROBLEM_COLUMNS = ("path", "status", "missing_since", "error")


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    commands.add(
        "init",
        run_init,
        "create or upgrade the store and print its location",
        example="init --config sqlite:////srv/media/viewra.db",
    )
    status = commands.add(
        "status",
        run_status,
        "print the location, size and contents of the store",
        "Print the location, size and contents of the store. Creates nothing. The exit code is 1 "
        "if the store does not exist or has to be migrated with viewra-lite migrate.",
        example="status --problems",
    )
    status.add_argument(
        "--problems",
        action="store_true",
        help="also list files that are missing, unreadable or without a title",
    )
    status.add_argument(
        "--prometheus",
        action="store_true",
        help="print the numbers of the store for the textfile collector of Prometheus",
    )


def run_init(args: Namespace) -> int:
    """Create or upgrade the store and print its location."""
    with created(args) as store:
        facts = {"engine": store.engine, "url": store.config.url}
    if args.json:
        print_json(facts)
    else:
        say(f"The store is ready: {facts['url']} ({facts['engine']})")
    return DONE


def run_status(args: Namespace) -> int:
    """Print the state of the store."""
    with looking(args) as store:
        if args.prometheus:
            return _print_metrics(args, store)
        facts = _facts(store)
        if args.problems and facts["counts"] is not None:
            facts["problems"] = [
                {name: getattr(file, name) for name in _PROBLEM_COLUMNS}
                for file in store.maintenance.problems(_PROBLEMS_SHOWN)
            ]
    if args.json:
        print_json(facts)
    else:
        _print_status(facts)
        for finding in facts["findings"]:
            say_finding(args, **finding)
    return DONE if facts["counts"] is not None else NOT_WELL


def _print_metrics(args: Namespace, store: Store) -> int:
    from ...metrics import exposition

    if store.migrations.pending():
        complain(f"The store is older than this version: run {command(args, 'migrate')}")
        return NOT_WELL
    for line in exposition(store).splitlines():
        say(line)
    return DONE


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
        "scans": [] if is_pending else _running_scans(store),
        "findings": list(map(asdict, store.maintenance.check(only=_CHECKS))),
        "in_process": store.media.why_in_process(),
    }


def _running_scans(store: Store) -> list[dict[str, Any]]:
    running = [scan for scan in store.media.scans() if scan.running]
    names = {library.id: library.name for library in store.media.libraries()}
    return [
        {
            "library_id": scan.library_id,
            "library": names[scan.library_id],
            **{name: getattr(scan, name) for name in _SCAN_COLUMNS},
        }
        for scan in running
        if scan.library_id in names
    ]


def schema_by_module(store: Store) -> list[dict[str, Any]]:
    """Return each module's applied and pending migrations; raises NewerSchemaError."""
    modules: dict[str, dict[str, Any]] = {}
    for script in store.migrations.status():
        name = script["module"]
        module = modules.setdefault(
            name, {"module": name, "applied": [], "pending": [], "chunks": None}
        )
        module["applied" if script["applied"] else "pending"].append(script["name"])
        module["chunks"] = script["chunks"] or module["chunks"]
    return list(modules.values())


def _print_problems(files: list[dict[str, Any]]) -> None:
    for file in files:
        since = file["missing_since"]
        why = f"missing since {printable(since)}" if since else file["error"] or _UNPLACED
        say(f"{file['path']}: {why}")
    if not files:
        note("No file is missing, unreadable or without a title")
    if len(files) == _PROBLEMS_SHOWN:
        say(f"... only the first {_PROBLEMS_SHOWN} are shown")


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
    if facts["in_process"]:
        say(f"scans read files without worker processes: {facts['in_process']}")
    for scan in facts["scans"]:
        _print_scan(scan)
    if "problems" in facts:
        _print_problems(facts["problems"])


def _print_scan(scan: dict[str, Any]) -> None:
    what = f"{scan['library']}: {scan['folder']}" if scan["folder"] else scan["library"]
    of_total = f" of {scan['total']}" if scan["total"] else ""
    say(
        f"scanning {what}: {PHASES.get(scan['phase'], scan['phase'])}: {scan['done']}{of_total}, "
        f"{scan['errors']} errors, since {printable(scan['started_at'])}"
    )


def _schema_state(module: dict[str, Any]) -> str:
    pending = ", ".join(module["pending"])
    if module["chunks"]:
        return f"unfinished: {pending} ({module['chunks']} chunks done)"
    return f"pending: {pending}" if pending else f"up to date ({module['applied'][-1]})"
