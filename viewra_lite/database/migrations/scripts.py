"""The numbered migration scripts of a module, with checksums that reveal edits.

They are found through their package, so that a folder, a zip file and a frozen binary all work.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from ...errors import MigrationError

if TYPE_CHECKING:
    from typing import Protocol

    class Migrated(Protocol):
        """The part of a module that the migrator and the schema use."""

        @property
        def name(self) -> str:
            """The name of the module and of its history."""

        @property
        def requires(self) -> Sequence[str]:
            """The names of the modules that are migrated before it."""

        @property
        def models(self) -> Sequence[Any]:
            """The models of its tables."""

        @property
        def migrations(self) -> str | None:
            """The dotted name of the package of scripts."""


class Script(NamedTuple):
    """One numbered migration script of a package."""

    module: str
    package: str
    name: str
    number: int
    checksum: str | None
    """SHA-256 of the source, or None in a frozen binary without sources."""
    prefix: str = ""
    """If not empty, it may only change tables whose names start so."""

    def load(self) -> ModuleType:
        """Import the script; raises MigrationError if it cannot be, or defines nothing to run."""
        from importlib.util import module_from_spec

        # Not from sys.modules: a script that failed may have been corrected meanwhile.
        spec = _spec(self.package, self.name)
        script = module_from_spec(spec)
        try:
            spec.loader.exec_module(script)
        except (Exception, SystemExit) as exc:
            raise MigrationError(
                f"{self.module} {self.name} cannot be imported; nothing was changed: "
                f"{type(exc).__name__}: {exc}"
            ) from exc
        found = [getattr(script, name) for name in ("up", "chunk") if hasattr(script, name)]
        if not found or not all(map(callable, found)):
            raise MigrationError(
                f"{self.module} {self.name} does not define up(migrator, db) or chunk(db, after)"
            )
        return script


def scripts(module: str, migrations: str) -> list[Script]:
    """List a module's scripts, by number; raises MigrationError if a number is used twice."""
    try:
        sources = _sources_in_folders(migrations) or _sources_anywhere(migrations)
    except ImportError as exc:
        raise MigrationError(f"module {module}: its migrations cannot be found: {exc}") from exc
    found = [_script(module, migrations, *source) for source in sorted(sources)]
    numbers = [script.number for script in found]
    if len(set(numbers)) != len(numbers):
        names = [script.name for script in found]
        raise MigrationError(f"module {module}: two migrations have the same number: {names}")
    return sorted(found, key=lambda script: script.number)


def in_order(modules: Sequence[Migrated]) -> list[Migrated]:
    """Sort modules so that each comes after those it requires; ties keep their order."""
    by_name = {module.name: module for module in modules}
    if len(by_name) != len(modules):
        raise MigrationError("two modules have the same name")
    ordered: dict[str, Migrated] = {}

    def visit(module: Migrated, path: tuple[str, ...]) -> None:
        if module.name in path:
            raise MigrationError(f"modules require each other: {' -> '.join((*path, module.name))}")
        for name in module.requires:
            if name not in by_name:
                raise MigrationError(
                    f"module {module.name} requires the module {name}: pass it to Store.open() too"
                )
            visit(by_name[name], (*path, module.name))
        ordered.setdefault(module.name, module)

    for module in modules:
        visit(module, ())
    return list(ordered.values())


def _script(module: str, package: str, name: str, checksum: str | None) -> Script:
    digits = name.partition("_")[0]
    if not digits.isdigit():
        raise MigrationError(f"module {module}: {name} must start with a number and _")
    return Script(module, package, name, int(digits), checksum)


def _sources_in_folders(package: str) -> list[tuple[str, str | None]]:
    """Return the scripts' names and checksums from plain files; [] if there is anything else.

    This is the fast path of every open: importing the package and listing its modules through the
    import system takes longer than the rest of opening a store.
    """
    top, *below = package.split(".")
    found: list[tuple[str, str | None]] = []
    try:
        for parent in getattr(import_module(top), "__path__", ()):
            folder = os.path.join(parent, *below)
            for file in os.listdir(folder):
                name, _, rest = file.partition(".")
                if name[:1].isdigit():
                    with open(os.path.join(folder, file), "rb") as script:
                        source = script.read()
                    if rest != "py" or not source.isascii():
                        return []
                    found.append((name, _checksum(source)))
    except OSError:
        return []
    return found


def _sources_anywhere(package: str) -> list[tuple[str, str | None]]:
    """Return the scripts' names and checksums through Python's import system."""
    from pkgutil import iter_modules

    found: list[tuple[str, str | None]] = []
    for info in iter_modules(import_module(package).__path__):
        if info.name[:1].isdigit():
            loader = _spec(package, info.name).loader
            try:
                source = loader.get_source(f"{package}.{info.name}")
            except (AttributeError, ImportError, OSError):
                source = None
            found.append((info.name, None if source is None else _checksum(source.encode())))
    return found


def _checksum(source: bytes) -> str:
    """Return the SHA-256 of a source, the same for all line endings."""
    return hashlib.sha256(source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).hexdigest()


def _spec(package: str, name: str) -> Any:
    from importlib.util import find_spec

    spec = find_spec(f"{package}.{name}")
    if spec is None:
        raise MigrationError(f"{package}.{name} can no longer be found")
    return spec
