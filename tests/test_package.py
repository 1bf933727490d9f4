"""What the package offers by name, what its sdist holds, and what its extras install."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from configparser import ConfigParser
from importlib import import_module
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

import viewra_lite

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "viewra_lite"
VERBS = (
    "store.py",
    *(
        f"{room}/module.py"
        for room in ("maintenance", "media", "playback", "plugins", "transcoding")
    ),
    "media/catalog/verbs.py",
    "playback/history/verbs.py",
)
# What stands in an annotation and is not ours to export.
FOREIGN = {
    "Any",
    "Backend",
    "Collection",
    "ConflictError",
    "Item",
    "Iterable",
    "Iterator",
    "Literal",
    "Mapping",
    "None",
    "Path",
    "Row",
    "Sequence",
    "bool",
    "date",
    "datetime",
    "dict",
    "float",
    "int",
    "list",
    "str",
    "tuple",
}


def setup() -> ConfigParser:
    found = ConfigParser()
    found.read(ROOT / "setup.cfg", encoding="utf-8")
    return found


def requirements(extra: str) -> list[str]:
    """Return the names of the packages that an extra lists."""
    lines = setup()["options.extras_require"][extra].strip().splitlines()
    return [name for line in lines for name in re.findall(r"^[\w-]+", line)]


# Names


def annotated(node: ast.AST | None) -> set[str]:
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)} if node else set()
    return names - FOREIGN


def returned(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each public verb's name with a type that it returns."""
    for room in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(room, ast.ClassDef) or room.name.startswith("_"):
            continue
        for verb in room.body:
            if isinstance(verb, ast.FunctionDef) and not verb.name.startswith("_"):
                if not any(ast.unparse(each) == "property" for each in verb.decorator_list):
                    yield from ((verb.name, name) for name in annotated(verb.returns))


def test_every_type_that_a_verb_returns_can_be_imported_from_the_package() -> None:
    found = {pair for path in VERBS for pair in returned(PACKAGE / path)}
    assert {("continue_watching", "WatchItem"), ("stats", "Stats"), ("scan", "ScanResult")} <= found
    # store.media and its like
    rooms = {
        pair
        for pair in found
        if pair[1].endswith(("Module", "Importing", "Maintenance", "Backups"))
    }
    missing = sorted(pair for pair in found - rooms if pair[1] not in viewra_lite.__all__)
    assert missing == [], "add them to viewra_lite/__init__.py"


def test_so_can_what_those_types_hold() -> None:
    for name in viewra_lite.__all__:
        kind = getattr(viewra_lite, name)
        if hasattr(kind, "__dataclass_fields__"):
            for field in kind.__dataclass_fields__.values():
                held = annotated(ast.parse(field.type)) - {"Secret"}
                assert held <= set(viewra_lite.__all__), f"{name}.{field.name}: {held}"


def test_every_name_is_where_its_type_checkers_copy_says() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    [checking] = [node for node in tree.body if isinstance(node, ast.If)]
    homes = {
        alias.name: node.module
        for node in checking.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert homes.pop("errors") is None
    assert set(viewra_lite.__all__) == {*homes, "errors"}
    for name, home in homes.items():
        there = getattr(import_module(f"viewra_lite.{home}"), name)
        assert getattr(viewra_lite, name) is there and name in dir(viewra_lite)
    with pytest.raises(AttributeError, match="nothing_such"):
        viewra_lite.nothing_such


def test_the_version_is_said_at_once_and_needs_no_metadata() -> None:
    code = (
        "import sys, viewra_lite; print(viewra_lite.__version__);"
        "print(*(m for m in sys.modules if m.startswith(('viewra_lite.', 'importlib.metadata'))))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [viewra_lite.__version__, ""]
    assert setup()["metadata"]["version"] == "attr: viewra_lite.__version__"
    assert f"## {viewra_lite.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


# What is installed


def test_an_extra_installs_nothing_that_is_not_used() -> None:
    used = {
        name.split(".")[0]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    for extra in setup()["options.extras_require"].keys() - {"test", "bench"}:
        for package in requirements(extra):
            assert package in used or extra == "all" and package == "viewra-lite", (extra, package)


def test_a_remedy_names_packages_that_exist() -> None:
    known = {name for extra in setup()["options.extras_require"] for name in requirements(extra)}
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "tests/benchmarks").rglob("*.py")]:
        text = path.read_text(encoding="utf-8")
        assert "viewra-lite[" not in text, f"{path} names a package that is on no index"
        for command in re.findall(r"pip install ([^)\"\n.:]+)", text):
            if "{" not in command:
                named = set(re.findall(r"[\w-]+(?=\[|'| |$)", command.replace("[binary]", "")))
                assert named and named <= known, f"{path}: {command}"


def test_an_sdist_holds_all_that_its_tests_need(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    source = tmp_path / "source"
    litter = ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "viewra-data")
    copytree(ROOT, source, ignore=litter)
    subprocess.run(
        [
            sys.executable,
            "-c",
            "from setuptools.build_meta import build_sdist; build_sdist('../dist')",
        ],
        cwd=source,
        check=True,
        capture_output=True,
    )
    [archive] = (tmp_path / "dist").iterdir()
    assert archive.name == f"viewra_lite-{viewra_lite.__version__}.tar.gz" or (
        archive.name == f"viewra-lite-{viewra_lite.__version__}.tar.gz"
    )  # an older setuptools
    with tarfile.open(archive) as sdist:
        held = {member.name.partition("/")[2] for member in sdist.getmembers() if member.isfile()}
    files = {
        str(path.relative_to(ROOT))
        for folder in ("viewra_lite", "tests")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sorted(files - held) == []
    assert {"schema.sql", "CHANGELOG.md", "Makefile", "README.md", "LICENSE"} <= held
    assert not [name for name in held if "__pycache__" in name]
