"""What may be a plugin: entry points of installed packages, and the folder of plugins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StoreClosedError
from .folder import PluginsFolder

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "viewra_lite.plugins"


def candidates(folder: Path | None) -> Iterator[tuple[str, Any]]:
    """Yield the name of each with what was found: a class, or the error of its import."""
    from importlib.metadata import entry_points

    for point in sorted(set(entry_points(group=GROUP)), key=lambda one: (one.name, one.value)):
        yield from _imported(point.name, partial(_class_of, point))
    if folder is not None:
        plugins = PluginsFolder(folder)
        for name, load in plugins.entries():
            yield from _imported(name, load)
        for name, error in plugins.without_plugin():
            yield name, error


def _class_of(point: EntryPoint) -> list[Any]:
    return [point.load()]


def _imported(name: str, load: Callable[[], Iterable[Any]]) -> Iterator[tuple[str, Any]]:
    try:
        kinds = list(load())
    except StoreClosedError:
        raise
    except (Exception, SystemExit) as exc:  # of the import of a third party's code
        kinds = [exc]
    for kind in kinds:
        yield name, kind
