"""Plugins as distributions of their own: installed with pip, upgraded, removed, installed again."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

import viewra_lite
from tests.support.venvs import Venv, wheel_of
from viewra_lite import plugins

pytest.importorskip("setuptools")
SAMPLES = Path(__file__).parent / "samples"
PUBLIC = {
    "viewra_lite": set(viewra_lite.__all__),
    "viewra_lite.errors": {name for name in vars(viewra_lite.errors) if name.endswith("Error")},
    "viewra_lite.media.models": {"Movie"},
    "viewra_lite.plugins": set(plugins.__all__),
}


@pytest.fixture(scope="session")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the first plugin, as the guide shows it."""
    guide = (Path(viewra_lite.__file__).parent / "plugins" / "README.md").read_text("utf-8")
    folder = tmp_path_factory.mktemp("guide") / "hello"
    folder.mkdir()
    files = {"viewra_hello.py": "python", "pyproject.toml": "toml", "test_hello.py": "py"}
    for name, language in files.items():
        [block, *_] = re.findall(rf"^```{language}\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
        assert f"`{name}`" in guide.partition(block)[0]
        (folder / name).write_text(block, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, hello: Path) -> dict[str, Path]:
    """The wheels of the distributions, by the name of their folder."""
    folder = tmp_path_factory.mktemp("wheels")
    sources = [hello, *(SAMPLES / name for name in ("awards-1.0", "awards", "listing"))]
    return {source.name: wheel_of(source, folder) for source in sources}


@pytest.fixture
def venv(tmp_path: Path) -> Venv:
    return Venv(tmp_path / "venv")


# Each step is a process of its own, as a server that is started again after pip.
STEP = """
import json, sys
from viewra_lite import Store
from viewra_lite.errors import PluginError
for source in json.loads(sys.argv[1]):
    with Store.open(source, plugins=True) as store:
        plugins = store.plugins
        def movies():
            return [movie.title for movie in store.media.movies().items]
        def query(text):
            with store.reader():
                from viewra_lite.media.models import Movie
                return [list(row) for row in Movie._meta.database.execute_sql(text)]
        def awards(columns="won"):
            return query(f"SELECT {columns} FROM plugin_awards_award")
"""
PREPARED = """
        films = store.media.add_library("Films", sys.argv[2], "movie")
        store.media.scan(films.id)
        plugins.configure("awards", {"file": sys.argv[2] + "/awards.csv"})
        assert plugins.enable("awards").version == "1.0.0"
        assert [run.error for run in plugins.run_due()] == [None]
        assert awards() == [[2]], awards()
"""
UPGRADED = """
        status = plugins.plugin("awards")
        assert (status.version, status.state) == ("2.0.0", "on"), status
        assert awards("won, nominated") == [[2, 0]]
        assert plugins.run_due()[0].error is None and plugins.usage()[0].answers == 2
"""
REFUSED = """
        status = plugins.plugin("awards")
        assert (status.version, status.state) == ("1.0.0", "incompatible"), status
        assert status.reason and status.remedy and plugins.run_due() == []
        assert awards("won, nominated") == [[2, 0]] and len(movies()) == 2
"""
GONE = """
        assert plugins.plugin("awards").state == "absent"
        assert plugins.run_due() == [] and len(movies()) == 2 and awards() == [[2]]
        assert plugins.uninstall("awards").answers == 2 and awards() == [[2]]
        removed = plugins.uninstall("awards", purge=True)
        assert removed.tables == {"plugin_awards_award": 1} and removed.answers == 2
        assert plugins.plugins() == [] and len(movies()) == 2
        assert not [name for name in store.tables() if "awards" in name]
"""
AGAIN = """
        assert plugins.plugin("awards").state == "off"
        plugins.configure("awards", {"file": sys.argv[2] + "/awards.csv"})
        assert plugins.enable("awards").version == "2.0.0"
        assert [run.error for run in plugins.run_due()] == [None]
        assert awards("won, nominated") == [[2, 3]]
"""


@pytest.mark.timeout(400)  # pip, and fifteen processes
def test_a_plugin_is_installed_upgraded_refused_removed_purged_and_installed_again(
    wheels: dict[str, Path], venv: Venv, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    media = tmp_path / "films"
    media.mkdir()
    for name in ("Metropolis (1927).mkv", "Nosferatu (1922).mkv"):
        (media / name).write_bytes(name.encode())
    csv = "title,year,rating,won,nominated\nMetropolis,1927,8.3,2,3\n"
    (media / "awards.csv").write_text(csv, encoding="utf-8")
    sources = [f"sqlite:///{tmp_path / 'viewra.db'}", request.getfixturevalue("postgres_store")]

    def step(code: str) -> None:
        venv.run("-c", STEP + code, json.dumps(sources), str(media))

    venv.install(wheels["awards-1.0"])
    step(PREPARED)
    venv.install(wheels["awards"])
    step(UPGRADED)
    venv.install(wheels["awards-1.0"])
    step(REFUSED)
    venv.pip("uninstall", "--yes", "viewra-awards")
    step(GONE)
    venv.install(wheels["awards"])
    step(AGAIN)


@pytest.mark.timeout(400)
def test_the_first_plugin_of_the_guide_and_the_samples_work_where_they_are_installed(
    wheels: dict[str, Path], hello: Path, venv: Venv, tmp_path: Path
) -> None:
    venv.install(wheels["hello"], wheels["awards"], wheels["listing"])
    for name in ("awards", "listing"):
        copytree(SAMPLES / name / "tests", tmp_path / name)
    copytree(hello, tmp_path / "hello", ignore=ignore_patterns("viewra_hello.py"))
    names = ("awards", "listing", "hello")
    printed = venv.run("-m", "pytest", "-q", "-W", "error", *names, cwd=tmp_path)
    assert "8 passed" in printed, printed
    for words in ("init", "plugins enable hello"):
        venv.run("-m", "viewra_lite", *words.split(), cwd=tmp_path)
    printed = venv.run("-m", "viewra_lite", "plugins", "run", cwd=tmp_path)
    assert printed.startswith("hello for the 1 time\nhello: done ("), printed


def test_the_first_plugin_is_short(hello: Path) -> None:
    assert (hello / "viewra_hello.py").read_text(encoding="utf-8").count("\n") <= 15


def taken(path: Path) -> list[tuple[str, str]]:
    """Return what a file takes from the package: its module, and the name."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = [
        (node.module or "", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    names += [
        (alias.name, "")
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    return [(module, name) for module, name in names if module.startswith("viewra_lite")]


@pytest.mark.parametrize(
    "path", sorted(SAMPLES.rglob("*.py")), ids=lambda path: str(path.relative_to(SAMPLES))
)
def test_a_sample_takes_public_names_only(path: Path) -> None:
    for module, name in taken(path):
        assert name in PUBLIC[module], f"{module}.{name}"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), f"{path}:{node.lineno} {node.attr}"


def test_the_old_release_is_the_beginning_of_the_new_one() -> None:
    script = Path("viewra_awards/migrations/0001_initial.py")
    old, new = (SAMPLES / name / script for name in ("awards-1.0", "awards"))
    assert old.read_bytes() == new.read_bytes()
