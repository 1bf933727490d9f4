"""viewra-lite plugins: what each is, its configuration, and what it has in the store."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ..arguments import asking
from ..choices import whole_id
from ..complaints import UsageError
from ..configuring import add_values, changed, secrets_typed
from ..exit_codes import DONE, NOT_WELL
from ..opening import existing
from ..output import (
    complain,
    note,
    others_apart,
    print_facts,
    print_json,
    print_table,
    printable,
    say,
)
from ..output import readable_size
from ..parser import Commands, Parser
from ..remedies import command

if TYPE_CHECKING:
    from ...plugins.results import PluginStatus, PluginUsage
    from ...store import Store

_STATES = ("off", "on", "failing", "incompatible", "broken", "absent")
_CALL = re.compile(r'\b(enable|configure|uninstall)\("(\w+)"(, \.\.\.|, purge=True)?\)')
_MORE = {", ...": ("KEY=VALUE",), ", purge=True": ("--purge",)}


def add_commands(commands: Commands) -> None:
    """Add this family's commands."""
    plugins = commands.add(
        "plugins",
        run_list,
        "list the plugins, configure, enable or remove one",
        "List the plugins of installed packages and of plugins_folder, and those that only the "
        "store knows.",
        example="plugins",
    )
    plugins.set_defaults(state=None)
    below = Commands(plugins, "action", required=False)
    listing = below.add(
        "list", run_list, "list the plugins with their states", example="plugins list --state on"
    )
    listing.add_argument("--state", choices=_STATES, help="only those of this state")
    for name, run, about in (
        ("show", run_show, "show a plugin with its configuration; secrets are masked"),
        ("enable", run_enable, "check a plugin, migrate its tables, switch it on"),
        ("disable", run_disable, "switch a plugin off; its data stay"),
    ):
        _add_id(below.add(name, run, about, example=f"plugins {name} tmdb"))
    configure = below.add(
        "configure",
        run_configure,
        "change the configuration of a plugin",
        "Change some values of a plugin's configuration, or all with --file. What a KEY=VALUE "
        "contains can be seen by other users of this machine: read a secret from a file or from "
        "standard input.",
        example="plugins configure tmdb language=de --read key=key.txt",
    )
    _add_id(configure)
    add_values(configure)
    uninstall = below.add(
        "uninstall",
        run_uninstall,
        "switch a plugin off and forget it; its data stay without --purge",
        "Switch a plugin off and forget it. Its data stay for a later installation; with --purge "
        "its tables, answers, storage and configuration go. Its code need not be installed.",
        example="plugins uninstall tmdb --dry-run",
    )
    _add_id(uninstall)
    uninstall.add_argument("--purge", action="store_true", help="remove its data too")
    uninstall.add_argument("--dry-run", action="store_true", help="only print what it has")
    uninstall.add_argument("--yes", action="store_true", help="confirm --purge")
    below.add("run", run_due, "run the plugins that are on and due", example="plugins run")
    usage = below.add(
        "usage", run_usage, "count what each plugin has in the store", example="plugins usage tmdb"
    )
    _add_id(usage, nargs="?")


def _add_id(parser: Parser, **options: Any) -> None:
    parser.add_argument("id", metavar="ID", help="its id, or a unique prefix of it", **options)


@contextmanager
def _discovered(args: Namespace) -> Iterator[Store]:
    """Open the store, with its plugins; remedies are commands."""
    from ...errors import PluginError

    with others_apart(args.json), existing(args) as store:
        store.plugins.discover()
        try:
            yield store
        except PluginError as exc:
            raise PluginError(exc.reason, remedy=_typed(args, exc.remedy)) from exc


def _typed(args: Namespace, remedy: str) -> str:
    """Return a remedy with commands in place of calls."""
    return _CALL.sub(
        lambda call: command(args, "plugins", call[1], call[2], *_MORE.get(call[3], ())), remedy
    )


def _chosen(args: Namespace, store: Store) -> str:
    ids = {one.id for one in store.plugins.plugins()}
    return whole_id(args.id, sorted(ids), "plugin", command(args, "plugins"))


# States


def run_list(args: Namespace) -> int:
    """List the plugins."""
    with _discovered(args) as store:
        found = store.plugins.plugins(state=args.state)
    if args.json:
        print_json({"plugins": [_facts(args, one) for one in found]})
    elif found:
        print_table(
            ("id", "name", "version", "state", "reason"),
            [(one.id, one.name, one.version, one.state, one.reason) for one in found],
            texts=("name", "reason"),
        )
    else:
        note("No plugin is " + (args.state or "installed, and the store knows none"))
    return DONE


def _facts(args: Namespace, status: PluginStatus) -> dict[str, Any]:
    return {**asdict(status), "remedy": _typed(args, status.remedy)}


def run_show(args: Namespace) -> int:
    """Show one plugin."""
    with _discovered(args) as store:
        facts = _facts(args, store.plugins.plugin(_chosen(args, store)))
    if args.json:
        print_json(facts)
    else:
        config = facts.pop("config")
        shown = {name.replace("_", " "): value for name, value in facts.items() if value}
        print_facts({**shown, **_config_lines(config)})
    return DONE


def _config_lines(config: Mapping[str, Any]) -> dict[str, Any]:
    return {f"config.{key}": value for key, value in config.items()}


def run_enable(args: Namespace) -> int:
    """Switch a plugin on."""
    with _discovered(args) as store:
        status = store.plugins.enable(_chosen(args, store))
    return _say_state(args, status)


def run_disable(args: Namespace) -> int:
    """Switch a plugin off."""
    with _discovered(args) as store:
        status = store.plugins.disable(_chosen(args, store))
    return _say_state(args, status)


def _say_state(args: Namespace, status: PluginStatus) -> int:
    if args.json:
        print_json(_facts(args, status))
    else:
        say(f"The plugin {status.id} is {status.state}")
    return DONE


def run_configure(args: Namespace) -> int:
    """Change a plugin's configuration."""
    with _discovered(args) as store:
        id = _chosen(args, store)
        config = changed(args, store.plugins.plugin(id).config)
        with asking():
            status = store.plugins.configure(id, config)
    if args.json:
        print_json(_facts(args, status))
    else:
        print_facts(_config_lines(status.config))
    for key in secrets_typed(args, status.config):
        reads = command(args, "plugins", "configure", id, "--read", f"{key}=-")
        note(f"{key} is secret, and other users may have seen it in the list of processes: {reads}")
    if status.state != "on":
        note(f"The plugin {id} is {status.state}: {command(args, 'plugins', 'enable', id)}")
    return DONE


# Runs


def run_due(args: Namespace) -> int:
    """Run the plugins that are due."""
    with _discovered(args) as store:
        runs = store.plugins.run_due()
    if args.json:
        print_json({"runs": list(map(asdict, runs))})
    else:
        for run in runs:
            if run.error:
                complain(f"{run.id} failed: {run.error}")
            else:
                say(f"{run.id}: done ({run.seconds:.1f} s)")
        if not runs:
            note("No plugin is due")
    return NOT_WELL if any(run.error for run in runs) else DONE


# Data


def run_usage(args: Namespace) -> int:
    """Count what plugins have in the store."""
    with _discovered(args) as store:
        id = None if args.id is None else _chosen(args, store)
        found = [one for one in store.plugins.usage() if id in (None, one.id)]
    if args.json:
        print_json({"usage": list(map(asdict, found))})
        return DONE
    for usage in found:
        print_facts({"id": usage.id, **_amounts(usage)})
    if not found:
        note("No plugin has data")
    return DONE


def run_uninstall(args: Namespace) -> int:
    """Uninstall a plugin."""
    with _discovered(args) as store:
        id = _chosen(args, store)
        if args.purge and not (args.yes or args.dry_run):
            raise UsageError(
                f"this would remove the data of {id}, which --dry-run counts: run "
                f"{command(args, 'plugins', 'uninstall', id, '--purge', '--yes')} to confirm"
            )
        usage = store.plugins.uninstall(id, purge=args.purge, dry_run=args.dry_run)
    if args.json:
        done = {"purged": args.purge and not args.dry_run, "uninstalled": not args.dry_run}
        print_json({**asdict(usage), **done})
        return DONE
    if args.dry_run:
        say(f"{'--purge would remove' if args.purge else 'It would keep'} of {id}:")
    else:
        say(f"Uninstalled {id}; {'removed' if args.purge else 'these data stay'}:")
    print_facts(_amounts(usage))
    return DONE


def _amounts(usage: PluginUsage) -> dict[str, object]:
    """Return what a plugin has, in words."""
    facts = asdict(usage)
    del facts["id"]
    words: dict[str, object] = {}
    for name, value in facts.items():
        shown = name.replace("_", " ")
        if isinstance(value, Mapping):
            lines = {f"{shown}: {key}": count for key, count in value.items()}
            words |= lines or {shown: "none"}
        else:
            words[shown] = readable_size(value) if name.endswith("bytes") else printable(value)
    return words
