"""The rules of the house, held by reading the sources."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SAMPLES = TESTS / "plugins" / "samples"  # distributions of their own
PACKAGE = TESTS.parent / "viewra_lite"
SOURCES = sorted(PACKAGE.rglob("*.py"))
ROOMS = ("events", "media", "playback", "plugins", "transcoding")
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
MOST_ENTRIES = 13
# In docstrings, comments and messages: for each there is a plain word of the field.
BANNED_WORDS = re.compile(
    r"\b(?:whoever|somebody|nobody|anybody|(?:is|are) no(?! longer)|is (?-i:none)|"
    r"goes on|go on|told|tells?|looked into|stands?(?!-)|lies|meant|what is|from then on|"
    r"as it is|seat|seated|guests?)\b",
    re.IGNORECASE,
)
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}

# What each layer may import of the package: cli -> store -> built_in -> module -> database ->
# config -> errors. A module may import its own files and what is said here.
LAYERS = {
    "__pyinstaller": set(),
    "errors": set(),
    "config": {"errors"},
    "database": {"config", "errors"},
    "module": {"config", "database", "errors"},
    "events": {"config", "database", "errors", "module"},
    "media": {"config", "database", "errors", "module"},
    "playback": {"config", "database", "errors", "module", "media.models"},
    "plugins": {
        "config",
        "database",
        "errors",
        "events.models",
        "events.queries",
        "module",
        "media.catalog.answered",  # the only writer of their answers
        "media.models",
    },
    "transcoding": {"config", "database", "errors", "module", "media.models"},
    "built_in": {"maintenance", "module", *ROOMS},
    "backends": {"adoption", "config", "database"},
    "adoption": {"built_in", "config", "database", "errors", "module", *ROOMS},
    "recovering": {"built_in", "config", "database", "errors", "media.files.lost_parents"},
    "store": {
        "recovering",
        "adoption",
        "backends",
        "built_in",
        "config",
        "database",
        "errors",
        "importing",
        "maintenance",
        "module",
        *ROOMS,
    },
    "metrics": {"database", "errors", "maintenance", "store"},
    "importing": {"config", "database", "errors", "media", "playback"},
    "maintenance": {
        "config",
        "database",
        "errors",
        "media.files.queries",
        "media.libraries",
        "media.models",
        "media.search",
        "module",
        "playback.models",
        "plugins.results",
        "transcoding.models",
    },
    "testing": {"config.loading", "media.models", "store"},
    "web": {"config", "database.backups.manifest", "database.findings", "errors", "store"}
    | {"plugins.results"},
    "cli": {
        "web",
        "adoption",
        "built_in",
        "config",
        "database",
        "errors",
        "module",
        "store",
        "importing",
        "maintenance",
        "metrics",
        *ROOMS,
    },
}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def dotted(path: Path) -> tuple[str, ...]:
    """Return a file's dotted name below the package, as parts; __init__ names its folder."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imports(path: Path) -> Iterator[str]:
    """Yield what a file imports: of the package as "media.models", of others as "/peewee"."""
    here = dotted(path) if path.name != "__init__.py" else (*dotted(path), "__init__")
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _told(alias.name)
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                base = here[: len(here) - node.level]
                module = ".".join((*base, *(node.module or "").split("."))).strip(".")
            else:
                module = _told(node.module or "")
            if module.startswith("/"):
                yield module
            else:
                yield from (f"{module}.{alias.name}".strip(".") for alias in node.names)


def _told(name: str) -> str:
    if name == "viewra_lite":
        return ""
    return name.removeprefix("viewra_lite.") if name.startswith("viewra_lite.") else f"/{name}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    parts = dotted(path)
    if not parts or parts == ("__main__",):
        return
    layer = parts[0]
    assert layer in LAYERS, f"{layer} has no place in the house: see LAYERS"
    for name in imports(path):
        if name.startswith("/") or name in ("", "__version__"):
            continue
        top = name.split(".")[0]
        allowed = top == layer or any(
            name == rule or name.startswith(rule + ".") for rule in LAYERS[layer]
        )
        assert allowed, f"{path.relative_to(PACKAGE)} must not import {name}"


def modules_imported(path: Path) -> set[str]:
    """Return the dotted names of the modules of ours that a file imports, wherever in it."""
    return {
        name if name in MODULES else name.rpartition(".")[0]
        for name in imports(path)
        if not name.startswith("/")
    } & MODULES


MODULES = {".".join(dotted(path)) for path in SOURCES if dotted(path)}


def circle_of(arrows: dict[str, set[str]]) -> list[str]:
    """Return a circle of names, each of which has an arrow to the next; [] where there is none."""
    finished: set[str] = set()

    def visit(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in finished:
            return []
        for target in sorted(arrows.get(name, set())):
            if circle := visit(target, [*way, name]):
                return circle
        finished.add(name)
        return []

    for name in sorted(arrows):
        if circle := visit(name, []):
            return circle
    return []


def test_no_files_import_each_other_in_a_circle() -> None:
    """Nor inside a function, nor for a type checker only."""
    assert (
        circle_of(
            {".".join(dotted(path)): modules_imported(path) for path in SOURCES if dotted(path)}
        )
        == []
    )


@pytest.mark.parametrize(
    "folder",
    sorted({path.parent for path in SOURCES}),
    ids=lambda folder: str(folder.relative_to(PACKAGE)),
)
def test_what_is_in_a_folder_does_not_import_itself_in_a_circle(folder: Path) -> None:
    """A file, or a folder with all that is in it, counts as one."""
    inside = folder.relative_to(PACKAGE).parts
    arrows: dict[str, set[str]] = {}
    for path in SOURCES:
        parts = dotted(path)
        if parts[: len(inside)] == inside and len(parts) > len(inside):
            part = parts[len(inside)]
            arrows.setdefault(part, set()).update(
                target[len(inside)]
                for target in (tuple(name.split(".")) for name in modules_imported(path))
                if target[: len(inside)] == inside
                and len(target) > len(inside)
                and target[len(inside)] != part
            )
    assert circle_of(arrows) == []


def test_no_folder_holds_more_than_is_seen_at_once() -> None:
    """The top is not counted: it is the list of the rooms."""
    for folder in {path.parent for path in SOURCES} - {PACKAGE}:
        entries = {
            path.relative_to(folder).parts[0] for path in SOURCES if path.is_relative_to(folder)
        } - {"__init__.py"}
        assert len(entries) <= MOST_ENTRIES, f"{folder.relative_to(PACKAGE)}: {sorted(entries)}"


def test_what_peewee_keeps_to_itself_is_named_in_one_file() -> None:
    private = re.compile(
        r"__data__|__rel__|\._(dirty|returning|row_type|constructor|on_conflict|create_indexes)\b"
        r"|\._(load_functions|ModelWriteQueryHelper)\b|database\._state\b|ctx\._"
    )
    for path in SOURCES:
        if not is_script(path) and path != PACKAGE / "database" / "orm" / "internals.py":
            found = private.search(path.read_text(encoding="utf-8"))
            assert found is None, f"{path.relative_to(PACKAGE)} names {found and found[0]}"


def test_the_command_line_asks_the_store_and_no_table_or_engine() -> None:
    """What it shows can be had from Python, and is written once."""
    for path in sorted((PACKAGE / "cli").rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for asked in ("peewee", "_meta", ".select(", "SqliteConfig", "PostgresConfig", "._db"):
            assert asked not in source, f"{path.relative_to(PACKAGE)} asks {asked}"


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_the_same_four_doors(room: str) -> None:
    for door in ("queries.py", "module.py", "migrations/0001_initial.py"):
        assert (PACKAGE / room / door).is_file()
    models = PACKAGE / room / "models"
    assert models.with_suffix(".py").is_file() or (models / "__init__.py").is_file()


def test_a_migration_imports_only_peewee_and_playhouse() -> None:
    for path in PACKAGE.rglob("migrations/[0-9]*.py"):
        for name in imports(path):
            top = name.lstrip("/").split(".")[0]
            assert name.startswith("/"), f"{path} imports the package: {name}"
            assert top in ("peewee", "playhouse", "__future__"), f"{path} imports {name}"


def test_optional_packages_are_imported_where_they_are_used_only() -> None:
    optional = {"psycopg", "guessit", "pymediainfo", "tinytag", "rich", "cysqlite", "watchfiles"}
    optional.add("fastjsonschema")
    for path in SOURCES:
        if path.name == "cysqlite.py":  # itself imported where it was chosen only
            continue
        for node in parsed(path).body:
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] not in optional, f"{path} imports {name} at the top"


def test_only_the_command_line_prints_exits_or_reads_the_environment() -> None:
    for path in SOURCES:
        if dotted(path)[:1] in (("cli",), ("__main__",)):
            continue
        if dotted(path) == ("database", "postgres", "backup"):  # it hands it on to programs
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("print", "exit", "quit", "input"), path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                pair = (node.value.id, node.attr)
                assert pair not in (("os", "environ"), ("os", "getenv"), ("sys", "exit")), path


def comments(path: Path) -> set[int]:
    """Return the lines of a file that have a comment."""
    with tokenize.open(path) as file:
        tokens = tokenize.generate_tokens(file.readline)
        return {token.start[0] for token in tokens if token.type == tokenize.COMMENT}


def passed_over(path: Path) -> Iterator[tuple[ast.AST, list[str], int]]:
    """Yield where errors are passed over, with their names and the last line of that."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            if all(isinstance(one, (ast.Pass, ast.Continue)) for one in node.body):
                names = ast.walk(node.type) if node.type else [ast.Name("BaseException")]
                yield node, [ast.unparse(one) for one in names], node.body[-1].lineno
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
            yield node, [ast.unparse(one) for one in node.args], node.end_lineno or node.lineno


def test_no_error_is_passed_over_without_a_reason() -> None:
    """A comment on the spot says why nobody need hear of it; of any error that cannot be said."""
    for path in SOURCES:
        reasons = comments(path)
        for node, names, last in passed_over(path):
            where = f"{path.relative_to(PACKAGE)}:{node.lineno}"
            assert reasons & set(range(node.lineno, last + 1)), f"{where} gives no reason"
            assert not {"Exception", "BaseException"} & set(names), f"{where} passes over any error"


def test_loggers_are_named_after_their_package_and_are_given_no_finished_text() -> None:
    """What is not listened to costs no text; and what is put into one can be seen here."""
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            call = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            where = f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}"
            if call == "logging.getLogger" and dotted(path)[0] != "cli":
                top = "store" if dotted(path) == ("store",) else dotted(path)[0]
                names = {f"'viewra_lite.{top}'", "'viewra_lite'" if top == "store" else ""}
                assert ast.unparse(node.args[0]) in names, where
            if call.startswith("_log."):
                assert not isinstance(node.args[0], (ast.JoinedStr, ast.BinOp)), where


def test_no_room_asks_which_engine_it_is() -> None:
    for path in SOURCES:
        if dotted(path)[:1] and dotted(path)[0] in ROOMS and "migrations" not in path.parts:
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.Compare):
                    assert "engine" not in ast.unparse(node), f"{path}: {ast.unparse(node)}"


def is_script(path: Path) -> bool:
    return path.parent.name == "migrations" and path.name[0].isdigit()


def test_files_and_functions_stay_short() -> None:
    for path in SOURCES:
        if is_script(path):
            continue
        lines = path.read_text(encoding="utf-8").count("\n")
        assert lines <= LONGEST_FILE, f"{path} has {lines} lines"
        for node in ast.walk(parsed(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= LONGEST_FUNCTION, f"{path}:{node.lineno} {node.name}: {length}"


def test_no_message_of_the_rooms_shows_a_value_as_it_is() -> None:
    """A value may be a megabyte or fail in repr(): errors.shown() cuts it."""
    for path in SOURCES:
        if dotted(path)[:1] not in [("database",), ("media",), ("module",), ("transcoding",)]:
            continue
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Raise) and node.exc is not None:
                shown = [
                    part
                    for part in ast.walk(node.exc)
                    if isinstance(part, ast.FormattedValue) and part.conversion == ord("r")
                ]
                assert not shown, f"{path}:{node.lineno} {ast.unparse(shown[0])}"


def test_names_are_words_of_the_domain() -> None:
    for path in SOURCES:
        assert not BANNED_NAMES & set(dotted(path)), path
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ClassDef):
                assert not node.name.endswith(("Manager", "Service", "Helper")), node.name
            if isinstance(node, ast.FunctionDef):
                assert not node.name.startswith(("handle_", "process_")), node.name


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts and comments of a file, with their lines."""
    kinds = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", None)}
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in kinds:
            yield token.start[0], token.string


@pytest.mark.parametrize("part", sorted({path.relative_to(PACKAGE).parts[0] for path in SOURCES}))
def test_what_people_read_is_in_plain_words(part: str) -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{line} {word[0]!r} in {text.strip()[:80]!r}"
        for path in SOURCES
        if path.relative_to(PACKAGE).parts[0] == part and not is_script(path)
        for line, text in prose(path)
        for word in BANNED_WORDS.finditer(text)
    ]
    assert not found, "\n".join(found)


def test_everything_public_has_a_docstring_of_one_imperative_line() -> None:
    for path in SOURCES:
        if is_script(path):
            continue
        tree = parsed(path)
        assert ast.get_docstring(tree) or not tree.body, f"{path} has no docstring"
        for holder, node in _public(tree):
            text = ast.get_docstring(node)
            where = f"{path.relative_to(PACKAGE)}: {holder}{node.name}"
            assert text, f"{where} has no docstring"
            assert text.splitlines()[0].rstrip().endswith((".", ":")), f"{where}: {text[:60]}"


def _public(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if isinstance(node, ast.FunctionDef) and _is_query(node):
                continue
            yield "", node
            if isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                        if part.name not in INHERITED:
                            yield f"{node.name}.", part


# What Peewee documents: overriding it needs no second text.
INHERITED = {"db_value", "python_value", "bind", "ddl"}


def _is_query(node: ast.FunctionDef) -> bool:
    """Whether a function is a query builder: its name and its query say all."""
    return any(isinstance(d, ast.Name) and d.id == "statement" for d in node.decorator_list)


# What is stored, and how: the plumbing converts it both ways, by column.

STORED_FORMS = {
    "timestamp_text",
    "stored_path",
    "os_path",
    "python_value",
    "db_value",
    "fetchall",
    "fetchone",
}
MOST_PLACES = 8  # arguments of a statement; more are named
MOST_ANY = 0.06  # of the annotations


def test_no_module_sees_a_stored_form() -> None:
    for path in SOURCES:
        if dotted(path)[:1] and dotted(path)[0] in (*ROOMS, "importing") and not is_script(path):
            for node in ast.walk(parsed(path)):
                name = getattr(node, "attr", getattr(node, "id", getattr(node, "name", None)))
                assert name not in STORED_FORMS, f"{path}:{getattr(node, 'lineno', 0)} {name}"


def test_rows_are_read_by_names() -> None:
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                is_row = node.value.id == "row" and dotted(path)[:1] not in [("adoption",)]
                place = node.slice.value if isinstance(node.slice, ast.Constant) else None
                by_place = isinstance(node.slice, ast.Slice) or (
                    isinstance(place, int) and place not in (0, -1)
                )
                assert not (is_row and by_place), f"{path}:{node.lineno} {ast.unparse(node)}"


def test_no_statement_has_more_places_than_can_be_told_apart() -> None:
    runs = {"run", "run_returning", "one", "all"}
    for path in SOURCES:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and _is_query(node):
                assert len(node.args.args) <= MOST_PLACES, f"{path}:{node.lineno} {node.name}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                if node.func.attr in runs:
                    assert len(node.args) <= 1 + MOST_PLACES, f"{path}:{node.lineno}"


def test_annotations_say_what_they_take() -> None:
    found = [
        ast.unparse(annotation)
        for path in SOURCES
        if not is_script(path)
        for node in ast.walk(parsed(path))
        for annotation in _annotations(node)
    ]
    assert found.count("Any") <= MOST_ANY * len(found), (found.count("Any"), len(found))


def _annotations(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.arg) and node.annotation is not None:
        return [node.annotation]
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None:
        return [node.returns]
    return [node.annotation] if isinstance(node, ast.AnnAssign) else []


# The tests themselves: what they share is in tests/support, and has one name.


def test_no_file_of_the_tests_is_loaded_twice() -> None:
    names = defaultdict(set)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(TESTS):
            names[Path(file).relative_to(TESTS.parent)].add(name)
    for path, found in names.items():
        assert found == {".".join(path.with_suffix("").parts).removesuffix(".__init__")}


def test_what_the_tests_share_is_imported_from_tests_support() -> None:
    known = {path.stem for path in TESTS.rglob("*.py")} | {"tests"}
    for path in TESTS.rglob("*.py"):
        if path.is_relative_to(TESTS / "benchmarks") or path.is_relative_to(SAMPLES):
            continue
        text = path.read_text(encoding="utf-8")  # as text: programs for other processes too
        own = path.relative_to(TESTS).parts[0]
        for name in re.findall(r"^\s*(?:from|import) ([.\w]+)", text, re.MULTILINE):
            ours = name.startswith(".") or name.split(".")[0] in known
            shared = name.startswith(("tests.support", "tests.benchmarks"))
            its_own = own in ("server", "torture", "upgrades")
            shared |= its_own and f"{name}.".startswith(f"tests.{own}.")
            assert shared or not ours, (path, name)


# Private names that tests reach, where nothing else can show the promise: who waits at the write
# gate and what a pool holds, batches made small, a folder that cannot be read on demand, a verb
# that is interrupted between two of its steps, the thread that moves the log, argparse's options.
MOST_PRIVATE = 57


def test_tests_reach_hardly_any_private_name() -> None:
    found = []
    for path in TESTS.rglob("*.py"):
        if path.is_relative_to(TESTS / "benchmarks"):
            continue
        for node in ast.walk(parsed(path)):
            name = _reached(node)
            if re.match(r"_(?!_|meta$|exit$)", name):
                found.append(f"{path.relative_to(TESTS)}:{node.lineno} {name}")
    assert len(found) <= MOST_PRIVATE, "\n".join(found)


def _reached(node: ast.AST) -> str:
    """Return the name that a node takes from something else, or replaces in it."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
        return node.attr
    if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("setattr"):
        return str(getattr(node.args[1], "value", ""))
    return ""
