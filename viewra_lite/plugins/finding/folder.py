"""The folder of plugins: modules, packages and zip files that are imported from there."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from ...errors import PluginError
from ..plugin import Plugin
from .writers import refuse_writers, refuse_writers_below

Kinds = Callable[[], list[type[Plugin]]]

_folders: set[str] = set()
"""Those that this process imports from."""


class PluginsFolder:
    """A folder of plugins, which only its owner may write to."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.abspath(folder)
        self._without: list[str] = []
        self._migrations: set[str] = set()

    def entries(self) -> Iterator[tuple[str, Kinds]]:
        """Yield the name of each module, package and zip file with what imports its plugins."""
        try:
            refuse_writers(self._folder)
            names = sorted(os.listdir(self._folder))
        except (OSError, PluginError) as exc:
            error = exc if isinstance(exc, PluginError) else _unreadable(self._folder, exc)
            yield "plugins_folder", partial(_raise, error)
            return
        _import_from(self._folder)
        for name in names:
            path = os.path.join(self._folder, name)
            stem, suffix = os.path.splitext(name)
            if name.startswith((".", "_")):
                continue
            if suffix == ".zip":
                yield stem, partial(self._of_zip, path)
            elif suffix == ".py" or os.path.isfile(os.path.join(path, "__init__.py")):
                module = stem if suffix == ".py" else name
                yield module, partial(self._of, path, module)

    def without_plugin(self) -> Iterator[tuple[str, PluginError]]:
        """Yield the modules in which no plugin was found, but for their migrations."""
        for name in self._without:
            if name not in self._migrations:
                yield (
                    name,
                    PluginError(
                        f"{name} in {self._folder} defines no subclass of Plugin",
                        remedy="correct it, or let its name begin with _ if others import it",
                    ),
                )

    def _of(self, path: str, module: str) -> list[type[Plugin]]:
        _refuse_entry(path)
        found = _plugins_of(self._folder, module)
        return self._noted(module, found)

    def _of_zip(self, path: str) -> list[type[Plugin]]:
        from zipfile import ZipFile

        _refuse_entry(path)
        with ZipFile(path) as file:
            parts = [name.split("/") for name in file.namelist()]
        modules = {one[0].removesuffix(".py") for one in parts if one[1:] in ([], ["__init__.py"])}
        if path not in sys.path:
            sys.path.append(path)
        found = [
            kind
            for module in sorted(modules)
            if module.isidentifier() and not module.startswith("_")
            for kind in _plugins_of(path, module)
        ]
        return self._noted(os.path.basename(path), found)

    def _noted(self, name: str, found: list[type[Plugin]]) -> list[type[Plugin]]:
        if not found:
            self._without.append(name)
        named = (str(kind.migrations or "") for kind in found)
        self._migrations |= {one.partition(".")[0] for one in named}
        return found


def _plugins_of(place: str, name: str) -> list[type[Plugin]]:
    """Import a module of a folder or a zip file, and return the plugins that it defines."""
    if not name.isidentifier():
        raise PluginError(
            f"{name} cannot be the name of a module", remedy="use letters, digits and _"
        )
    spec = find_spec(name)
    origin = (spec.origin if spec is not None else None) or "Python itself"
    if not origin.startswith(place + os.sep):
        raise PluginError(
            f"{name} in {place} has the name of another module, of {origin}", remedy="rename it"
        )
    module = importlib.import_module(name)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Plugin)
        and f"{value.__module__}.".startswith(f"{name}.")
    ]
    leaves = [one for one in found if not any(one in other.__mro__[1:] for other in found)]
    return list(dict.fromkeys(leaves))


def _refuse_entry(path: str) -> None:
    refuse_writers(path)
    refuse_writers_below(path)


def _unreadable(folder: str, exc: OSError) -> PluginError:
    return PluginError(
        f"{folder} cannot be read: {exc.strerror}",
        remedy="create it, or correct the option plugins_folder",
    )


def _raise(error: PluginError) -> NoReturn:
    raise error


# Importing


class _Source(SourceFileLoader):
    """Compiles the source each time, and neither reads nor writes a __pycache__ beside it."""

    def path_stats(self, path: str) -> NoReturn:
        """Raise OSError, as for bytecode that does not exist."""
        raise OSError


def _import_from(folder: str) -> None:
    """Make a folder importable, after all that is importable already."""
    if folder not in _folders:
        _folders.add(folder)
        if _finder not in sys.path_hooks:
            sys.path_hooks.insert(0, _finder)
        sys.path_importer_cache.pop(folder, None)
        if folder not in sys.path:
            sys.path.append(folder)
    importlib.invalidate_caches()  # a file may be new


def _finder(path: str) -> FileFinder:
    """Return the finder of a folder of plugins, or of a package in it; else ImportError."""
    is_inside = any(path == one or path.startswith(one + os.sep) for one in _folders)
    if not (is_inside and os.path.isdir(path)):
        raise ImportError
    return FileFinder(path, (_Source, [".py"]), (ExtensionFileLoader, EXTENSION_SUFFIXES))
