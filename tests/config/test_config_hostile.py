"""Hostile and clumsy configuration files: each is a ConfigError that helps and tells no secret."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.hostile import BAD_FILES, PG, S, SECRET, VALID, YAML_PIECES, outcome
from viewra_lite.errors import ConfigError


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused_with_the_place_and_no_secret(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, message = BAD_FILES[name]
    monkeypatch.chdir(tmp_path)
    Path("viewra.yaml").write_bytes(content)
    refusal = outcome("viewra.yaml")
    assert isinstance(refusal, ConfigError)
    assert message in str(refusal)
    assert str(refusal).startswith("viewra.yaml")
    assert len(str(refusal)) < 1000 and str(refusal).isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["viewra.yaml"]


@pytest.mark.parametrize(
    "path, why",
    [
        ("missing.yaml", "it does not exist"),
        ("folder", "it is a folder"),
        ("file/x.yaml", "a part of its path is not a folder"),
        ("x" * 300, "its name is too long"),
        ("x/" * 5000, "its name is too long"),
        ("loop", "its symbolic links form a loop"),
        ("dangling", "it does not exist"),
        ("pipe", "it is not a regular file"),
        ("/dev/zero", "it is not a regular file"),
        ("a\0b", "file names cannot contain"),
        ("a\ud800b", "file names cannot contain"),
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_a_file_that_cannot_be_read_says_why(
    path: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").touch()
    os.symlink("loop", "loop")
    os.symlink("nowhere", "dangling")
    os.mkfifo("pipe")
    before = sorted(tmp_path.iterdir())
    for source in (path, Path(path)):
        refusal = outcome(source)
        assert isinstance(refusal, ConfigError) and why in str(refusal)
        assert len(str(refusal)) < 1000 and str(refusal).isprintable()
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads anything")
def test_a_file_without_permission_says_so(tmp_path: Path) -> None:
    path = tmp_path / "viewra.yaml"
    path.write_bytes(PG)
    path.chmod(0)
    assert "no permission to read it" in str(outcome(path))


# --- Fuzz: the only outcomes are a Config and a ConfigError. ---

FUZZ = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
TEXT = st.text(st.characters(codec=None), max_size=60)


@st.composite
def mutated_files(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text)))
        gone = draw(st.integers(0, 12))
        piece = draw(st.sampled_from(["", *YAML_PIECES]) | st.text(max_size=3))
        text = text[:at] + piece + text[at + gone :]
    return text


@FUZZ
@given(content=st.binary(max_size=80) | TEXT.map(lambda text: text.encode("utf-8", "replace")))
def test_fuzz_random_content(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "viewra.yaml"
    for text in (content, b"database:\n  type: postgres\n  password: '" + S + b"'\n" + content):
        path.write_bytes(text)
        outcome(path)


@settings(FUZZ, max_examples=400)
@given(text=mutated_files())
def test_fuzz_mutated_files(text: str, tmp_path: Path) -> None:
    path = tmp_path / "viewra.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    outcome(path)


@FUZZ
@given(parts=st.lists(st.sampled_from(YAML_PIECES), max_size=40))
def test_fuzz_yaml_soup(parts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "viewra.yaml"
    path.write_bytes("".join(parts).encode())
    outcome(path)


@FUZZ
@given(before=TEXT, after=TEXT, scheme=st.sampled_from(["postgresql", "postgres", "sqlite", "x"]))
def test_fuzz_urls_and_paths(before: str, after: str, scheme: str) -> None:
    outcome(before)
    outcome(f"{scheme}://{before}:{SECRET}@{after}")
    outcome(f"{scheme}://viewra:{SECRET}{after}@db/x?{before}")


ANY_VALUE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | TEXT
    | st.binary(max_size=9)
    | st.just(SECRET)
    | st.dates()
    | st.complex_numbers()
    | st.builds(Path, st.text(max_size=9)),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
KEYS = (
    st.sampled_from(
        [
            "type",
            "host",
            "port",
            "password",
            "password_file",
            "database_path",
            "freeze_threshold",
            "synchronous",
            "pool_size",
        ]
    )
    | TEXT
)


@FUZZ
@given(
    section=st.dictionaries(KEYS, ANY_VALUE, max_size=4) | ANY_VALUE,
    kind=st.sampled_from(["sqlite", "postgres", None]),
)
def test_fuzz_mappings(section: Any, kind: str | None) -> None:
    if kind and isinstance(section, dict):
        section["type"] = kind
    outcome({"database": section})


@FUZZ
@given(
    environ=st.dictionaries(
        KEYS.map(lambda key: f"VIEWRA_DATABASE_{key.upper()}"), TEXT | st.just(SECRET), max_size=4
    ),
    kind=st.sampled_from(["sqlite", "postgres"]),
)
def test_fuzz_environment(environ: dict[str, str], kind: str) -> None:
    outcome(None, environ={**environ, "VIEWRA_DATABASE_TYPE": kind})
