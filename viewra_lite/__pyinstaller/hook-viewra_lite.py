"""Collects what a program that embeds the store needs beside the modules that it imports."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from PyInstaller.utils.hooks import (
    collect_data_files,
    collect_dynamic_libs,
    collect_entry_point,
    copy_metadata,
)

from viewra_lite.__pyinstaller.contents import below, migrations_named_in, standard_library

# Many modules are imported when they are first used, by name.
hiddenimports = [*below("viewra_lite"), "playhouse.migrate"]
# Sources of migrations beside their code: a store keeps the checksums of them.
module_collection_mode = {name: "pyz+py" for name in hiddenimports if name.endswith(".migrations")}
datas = copy_metadata("viewra-lite")
datas += collect_data_files("viewra_lite", excludes=["**/*.md", "__pyinstaller"])
binaries = []

# Installed plugins are found by their entry points.
_metadata, _plugins = collect_entry_point("viewra_lite.plugins")
datas += _metadata
hiddenimports += _plugins

if find_spec("guessit") is not None:  # extra `scan`
    datas += collect_data_files("guessit", excludes=["test/**"]) + collect_data_files("babelfish")
    hiddenimports += below("babelfish.converters")
if find_spec("pymediainfo") is not None:
    binaries += collect_dynamic_libs("pymediainfo", search_patterns=["*.dll", "*.dylib", "*.so*"])
if find_spec("datasette") is not None:  # extra `web`
    datas += collect_data_files("datasette") + collect_data_files("pygal")
    hiddenimports += below("datasette")
if find_spec("fastjsonschema") is not None:  # extra `plugins`: others are read from a folder
    hiddenimports += [*standard_library(), *below("playhouse")]


def hook(api: Any) -> None:
    """Add the migration scripts of the program's own modules and plugins."""
    files = [node.filename for node in api.module_graph.iter_graph() if node.filename]
    for package in migrations_named_in(files):
        api.add_imports(*below(package))
        api.set_module_collection_mode(package, "pyz+py")
