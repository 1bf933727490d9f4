"""Of thousands of random configurations each can be used, or is a ConfigError that helps.

Its message has a place, is short and can be printed, and no secret is in it or in its frames.
"""

from __future__ import annotations

import random
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.hostile import BAD_FILES, SECRET, VALID, YAML_PIECES, outcome
from tests.support.torture import tries
from viewra_lite.config.options import Config, PostgresConfig, SqliteConfig, options_of
from viewra_lite.errors import ConfigError

LONGEST_S = 60  # for one configuration, on a busy machine
MOST_GROWN_KIB = 64 << 10
KEYS = ["type", "x", SECRET, *options_of(SqliteConfig), *options_of(PostgresConfig)]
VALUES: list[Any] = [
    *("sqlite", "postgres", "normal", "full", SECRET, f"a{SECRET}\n", "", " ", "~", ":memory:"),
    *(0, 1, -1, 10**400, 0.5, float("nan"), True, None, b"x", [SECRET], {SECRET: 1}, 3j, object()),
    *("5432", "0x1f", "1e3", "007", "\0", "\ud800", "ÿ", "x" * 5000, "/", "..", "file:x", "a/b.db"),
]
URL_PARTS = [
    *("sqlite://", "postgresql://", "postgres://", "mysql://", "://", "/", "//", "///", "@", ":"),
    *("?", "&", "=", "#", "%", "%41", "%zz", "%ff", "[::1]", "[", "]", "viewra", "db", ":5432"),
    *(f":{SECRET}@", f"password={SECRET}", "pool_size=2", "driver=cysqlite", "x.db", "ü", "\n"),
]


def yaml(seed: random.Random) -> bytes:
    """Return a valid file, or a hostile one, with some of it replaced."""
    hostile = [content for content, _ in BAD_FILES.values() if len(content) < 500]
    text = bytearray(seed.choice([*(each.encode() for each in VALID), *hostile]))
    for _ in range(seed.randrange(6)):
        at, gone = seed.randrange(len(text) + 1), seed.randrange(12)
        piece = seed.choice(YAML_PIECES).encode("utf-8", "surrogatepass")
        noise = seed.randbytes(seed.randrange(4))
        text[at : at + gone] = seed.choice((piece, piece, noise, b""))
    return bytes(text)


def mapping(seed: random.Random) -> Any:
    section = {seed.choice(KEYS): seed.choice(VALUES) for _ in range(seed.randrange(5))}
    return seed.choice(
        (
            {"database": section},
            {"database": {"type": "postgres", **section}},
            {"database": {"type": "sqlite", **section}},
            {seed.choice(KEYS): section, "database": seed.choice(VALUES)},
            section,
        )
    )


def url(seed: random.Random) -> str:
    parts = "".join(seed.choice(URL_PARTS) for _ in range(seed.randrange(1, 9)))
    return seed.choice((parts, f"postgresql://viewra:{SECRET}@db/{quote(parts)}?{parts}"))


def environment(seed: random.Random) -> dict[str, str]:
    values = [value for value in VALUES if isinstance(value, str)]
    return {
        f"VIEWRA_DATABASE_{seed.choice(KEYS).upper()}": seed.choice(values)
        for _ in range(seed.randrange(4))
    }


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    """Fail what hangs."""

    def give_up(*_: object) -> None:
        pytest.fail(f"a configuration took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_random_configuration_is_used_or_refused_with_its_place_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    count, seed, file = tries(500, 20_000), random.Random(13), tmp_path / "viewra.yaml"
    used = refused = 0
    slowest = 0.0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        source: Any = None
        environ: dict[str, str] = {}
        if number % 4 == 0:
            file.write_bytes(yaml(seed))
            source = "viewra.yaml"
        elif number % 4 == 1:
            source = mapping(seed)
        elif number % 4 == 2:
            source = url(seed)
        else:
            environ = environment(seed)
        began = time.process_time()
        with no_longer_than(LONGEST_S):
            found = outcome(source, environ=environ)
        slowest = max(slowest, time.process_time() - began)
        if isinstance(found, Config):
            used += 1
        else:
            check(found, source)
            refused += 1
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown <= MOST_GROWN_KIB
    assert used and refused
    assert [path.name for path in tmp_path.iterdir()] == ["viewra.yaml"]
    with capsys.disabled():
        print(
            f"\n{count} random configurations: {used} used, {refused} refused, 0 secrets, the "
            f"slowest {slowest * 1000:.0f} ms, memory +{grown >> 10} MB"
        )


PLACES = ("viewra.yaml", "the mapping", "the URL", "environment variable", "expected a path, a URL")


def check(refusal: ConfigError, source: Any) -> None:
    message = str(refusal)
    label = source[-200:] if isinstance(source, str) else ""
    named = (*PLACES, label, ascii(label)[:10]) if label else PLACES
    assert message.startswith(named) or "***" in message or "cannot be read" in message, message
    assert len(message) < 900 and message.isprintable(), message
