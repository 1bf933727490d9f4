"""The numbered migration scripts of a module: what they are called, and whether they were edited.

They come from a package, so that they are found in a folder, a zip and a frozen binary alike.
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
        """What migrating and rendering need to know of a module."""

        @property
        def name(self) -> str:
            """Names the module and its history."""

        @property
        def requires(self) -> Sequence[str]:
            """Names the modules that come before."""

        @property
        def models(self) -> Sequence[Any]:
            """Lists its tables."""

        @property
        def migrations(self) -> str | None:
            """Names the package of scripts."""


class Script(NamedTuple):
    """One numbered migration script of a package."""

    module: str
    package: str
    name: str
    number: int
    checksum: str | None
    """SHA-256 of the source, or None where a frozen binary carries no source."""

    def load(self) -> ModuleType:
        """Import the script; it must define up(migrator, db)."""
        from importlib.util import module_from_spec

        # Not from sys.modules: a script that failed, was corrected and runs again is another one.
        spec = _spec(self.package, self.name)
        script = module_from_spec(spec)
        spec.loader.exec_module(script)
        if not callable(getattr(script, "up", None)):
            raise MigrationError(f"{self.module} {self.name} does not define up(migrator, db)")
        return script


def scripts(module: str, migrations: str) -> list[Script]:
    """List a module's scripts, by number; raises MigrationError where a number is used twice."""
    try:
        sources = _sources_in_folders(migrations) or _sources_anywhere(migrations)
    except ImportError as exc:
        raise MigrationError(f"module {module}: its migrations are not there: {exc}") from exc
    found = [_script(module, migrations, *source) for source in sorted(sources)]
    numbers = [script.number for script in found]
    if len(set(numbers)) != len(numbers):
        names = [script.name for script in found]
        raise MigrationError(f"module {module}: two migrations have the same number: {names}")
    return sorted(found, key=lambda script: script.number)


def _script(module: str, package: str, name: str, checksum: str | None) -> Script:
    digits = name.partition("_")[0]
    if not digits.isdigit():
        raise MigrationError(f"module {module}: {name} must start with a number and _")
    return Script(module, package, name, int(digits), checksum)


def _sources_in_folders(package: str) -> list[tuple[str, str | None]]:
    """Name the scripts with their checksums; none where there is anything but plain files.

    Every opening asks, and to import the package and have Python list and read its modules takes
    longer than all the rest of it.
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
    """Name the scripts with their checksums as Python's import system tells them."""
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
    """Return the SHA-256 of a source, however its lines end."""
    return hashlib.sha256(source.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).hexdigest()


def _spec(package: str, name: str) -> Any:
    from importlib.util import find_spec

    spec = find_spec(f"{package}.{name}")
    if spec is None:
        raise MigrationError(f"{package}.{name} cannot be found any more")
    return spec
