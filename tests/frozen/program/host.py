"""A server that embeds the store and its command line, with a module of its own.

host.py FOLDER scan TYPE=PATH ...   scan folders, and print the results as JSON
host.py FOLDER ARGUMENT ...         the command line of the store

The store is in FOLDER, and so is `starts`, with a line for each time that this program ran.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from viewra_lite import Module, Store
from viewra_lite.cli import main


class Reviews(Module):
    """A module whose migrations no import names."""

    name = "reviews"
    migrations = "host_migrations"


def run(folder: str, *arguments: str) -> int:
    with open(f"{folder}/starts", "a") as starts:
        starts.write("started\n")
    if not arguments[1:] or "=" not in arguments[1]:
        return main([*arguments, "--config", f"sqlite:///{folder}/viewra.db"])
    database = {"database_path": f"{folder}/viewra.db", "probe_timeout_s": 30, "scan_workers": 2}
    with Store.open({"database": database}, modules=[Reviews()]) as store:
        results = []
        for argument in arguments[1:]:
            kind, path = argument.split("=")
            library = store.media.find_library(path) or store.media.add_library(kind, path, kind)
            results.append(asdict(store.media.scan(library.id)))
        scripts = [script["name"] for script in store.migrations.status()]
        print(json.dumps({"scans": results, "scripts": scripts}))
    return 0


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
