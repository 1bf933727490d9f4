"""What belongs into a frozen program although no import names it."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.util import find_spec

# Of the standard library what no server and no plugin imports, and tests and their fixtures.
_LEFT_OUT = {
    "__main__",
    "__pyinstaller",
    "_tkinter",
    "antigravity",
    "ensurepip",
    "idle_test",
    "idlelib",
    "lib2to3",
    "test",
    "testing",
    "tests",
    "this",
    "tkinter",
    "turtle",
    "turtledemo",
}


def standard_library() -> list[str]:
    """Return the dotted names of the modules of the standard library on this system."""
    return sorted(
        name for top in sys.stdlib_module_names - _LEFT_OUT if find_spec(top) for name in below(top)
    )


def below(package: str) -> list[str]:
    """Return the dotted names of a module and of all below it."""
    folders = _folders_of(package)
    return sorted({package, *(name for folder in folders for name in _below(folder, package))})


def _folders_of(package: str) -> list[str]:
    """Return the folders of a package, which is not imported for this, or []."""
    top, *parts = package.split(".")
    found = find_spec(top) if top else None
    folders = (found and found.submodule_search_locations) or ()
    paths = [os.path.join(folder, *parts) for folder in folders]
    return [path for path in paths if os.path.isdir(path)]


def _below(folder: str, package: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _LEFT_OUT]
        inside = os.path.relpath(parent, folder).split(os.sep)
        parts = [package, *(part for part in inside if part != os.curdir)]
        for file in files:
            name, suffix = os.path.splitext(file)
            if suffix == ".py" and name not in _LEFT_OUT:
                yield ".".join(parts if name == "__init__" else [*parts, name])


def migrations_named_in(files: Iterable[str]) -> list[str]:
    """Return the packages of migration scripts that classes in Python files name as text.

    Modules and plugins name them so, and no import shows that a program needs the scripts.
    """
    return sorted({name for file in files for name in _migrations_named_in(file)})


def _migrations_named_in(file: str) -> Iterator[str]:
    try:
        with open(file, "rb") as opened:
            source = opened.read()
        tree = ast.parse(source if b"migrations" in source else b"")
    except (OSError, SyntaxError, ValueError):  # a library in C, or text for another version
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                name = _assigned(line, "migrations")
                if name and _folders_of(name):
                    yield name


def _assigned(line: ast.stmt, name: str) -> str | None:
    """Return the text that a line of a class assigns to a name, or None."""
    if not isinstance(line, (ast.Assign, ast.AnnAssign)):
        return None
    targets = line.targets if isinstance(line, ast.Assign) else [line.target]
    is_named = any(isinstance(target, ast.Name) and target.id == name for target in targets)
    text = line.value.value if isinstance(line.value, ast.Constant) else None
    return text if is_named and isinstance(text, str) else None
