"""What load_config() promises: sources, defaults, ranges, overrides, and a password never shown."""

from __future__ import annotations

import copy
import dataclasses
import math
import os
import pickle
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from viewra_lite import Store
from viewra_lite.config.loading import load_config
from viewra_lite.config.options import Config, PostgresConfig, SqliteConfig
from viewra_lite.config.values import Secret
from viewra_lite.errors import ConfigError, ViewraError

PASSWORD = "s3cr3t-hunter2"
URL = f"postgresql://viewra:{PASSWORD}@127.0.0.1:1/viewra"
SPEC_SQLITE = """\
database:
  type: sqlite
  database_path: ./viewra-data/viewra.db
"""
SPEC_POSTGRES = """\
database:
  type: postgres
  host: localhost
  port: 5432
  user: viewra
  password: secret
  database: viewra
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(source: Any, **keywords: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(source, **keywords)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert PASSWORD not in shown
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    return str(caught.value)


def sqlite(**options: Any) -> Config:
    return load_config({"database": {"type": "sqlite", **options}})


def postgres(**options: Any) -> PostgresConfig:
    config = load_config({"database": {"type": "postgres", **options}})
    assert isinstance(config, PostgresConfig)
    return config


def yaml_file(text: str, name: str = "viewra.yaml") -> Path:
    path = Path(name)
    path.write_text(text, encoding="utf-8")
    return path


# --- Sources ---


def test_the_default_is_sqlite_in_the_data_folder() -> None:
    config = load_config()
    assert config == SqliteConfig(database_path=Path("./viewra-data/viewra.db"))
    assert config.engine == "sqlite"


def test_every_default_is_as_promised() -> None:
    assert dataclasses.asdict(SqliteConfig()) == {
        "pool_size": 10,
        "busy_timeout_ms": 10000,
        "synchronous": "normal",
        "slow_query_ms": 200,
        "scan_batch_rows": 500,
        "scan_batch_ms": 25,
        "scan_workers": 0,
        "probe_timeout_s": 60,
        "freeze_threshold": 0.25,
        "backup_folder": None,
        "backup_at": "02:00",
        "archive_after_days": 0,
        "transcode_cache_max_mib": 0,
        "backup_keep": 7,
        "upgrade_backup": "on",
        "plugins_folder": None,
        "plugin_statement_ms": 5000,
        "plugin_writing_ms": 8000,
        "plugin_check_ms": 30_000,
        "plugin_run_ms": 600_000,
        "plugin_quota_mib": 256,
        "plugin_storage_kib": 1024,
        "plugin_order": "",
        "retention_days": 30,
        "session_timeout_s": 300,
        "paused_timeout_s": 1800,
        "completed_at": 0.9,
        "resume_from": 0.05,
        "resume_min_duration_s": 300,
        "music_completed_at": 0.5,
        "music_resume_from": 0.05,
        "music_resume_min_duration_s": 1200,
        "type": "sqlite",
        "database_path": Path("viewra-data/viewra.db"),
        "cache_size_kib": 8192,
        "mmap_size_mib": 0,
        "wal_autocheckpoint_pages": 10000,
        "driver": "sqlite3",
    }
    config = PostgresConfig()
    assert (config.type, config.host, config.port, config.user) == (
        "postgres",
        "localhost",
        5432,
        "viewra",
    )
    assert (config.password, config.password_file, config.database, config.sslmode) == (
        Secret(""),
        None,
        "viewra",
        "prefer",
    )


@pytest.mark.parametrize("as_source", [str, Path])
def test_the_sqlite_form_of_the_specification_loads(as_source: Any) -> None:
    assert load_config(as_source(yaml_file(SPEC_SQLITE))) == SqliteConfig()


def test_the_postgres_form_of_the_specification_loads() -> None:
    config = load_config(yaml_file(SPEC_POSTGRES))
    assert config == PostgresConfig(password=Secret("secret"))
    assert config.engine == "postgres"


def test_other_sections_of_the_file_belong_to_the_host_program() -> None:
    text = "server: {port: yes, names: [a, b]}\n" + SPEC_SQLITE + "logging:\n- level: debug\n"
    assert load_config(yaml_file(text)) == SqliteConfig()


def test_a_byte_order_mark_and_windows_line_ends_load() -> None:
    Path("viewra.yaml").write_bytes(b"\xef\xbb\xbf" + SPEC_POSTGRES.replace("\n", "\r\n").encode())
    assert load_config("viewra.yaml") == PostgresConfig(password=Secret("secret"))


def test_a_mapping_loads_with_python_types() -> None:
    config = sqlite(database_path=Path("/srv/v.db"), pool_size=3, freeze_threshold=1)
    assert config == SqliteConfig(
        database_path=Path("/srv/v.db"), pool_size=3, freeze_threshold=1.0
    )
    assert sqlite(pool_size="3", freeze_threshold=".5") == SqliteConfig(
        pool_size=3, freeze_threshold=0.5
    )


def test_an_empty_section_gives_the_defaults() -> None:
    assert load_config({"database": {}}) == SqliteConfig()


def test_a_config_is_returned_as_it_is() -> None:
    for config in (SqliteConfig(pool_size=2), PostgresConfig(password=Secret("x"))):
        assert load_config(config) is config
        assert load_config(config, environ={"HOME": "/"}) is config


@pytest.mark.parametrize(
    "url, path",
    [
        ("sqlite:///relative.db", "relative.db"),
        ("sqlite:///a/b%20c.db", "a/b c.db"),
        ("sqlite:////abs/v.db", "/abs/v.db"),
        ("SQLITE:////abs/50%25.db", "/abs/50%.db"),
    ],
)
def test_a_sqlite_url_names_a_relative_or_absolute_path(url: str, path: str) -> None:
    assert load_config(url) == SqliteConfig(database_path=Path(path))


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_a_postgres_url_gives_every_part(scheme: str) -> None:
    config = load_config(f"{scheme}://me:p%40ss%3A%2F%25@db.example:6543/media?sslmode=require")
    assert config == PostgresConfig(
        user="me",
        password=Secret("p@ss:/%"),
        host="db.example",
        port=6543,
        database="media",
        sslmode="require",
    )


@pytest.mark.parametrize(
    "url, changed",
    [
        ("postgresql://", {}),
        ("postgresql:///media", {"database": "media"}),
        ("postgresql://db", {"host": "db"}),
        ("postgresql://db:/", {"host": "db"}),
        ("postgresql://me@db", {"host": "db", "user": "me"}),
        ("postgresql://[::1]:1/x", {"host": "::1", "port": 1, "database": "x"}),
        ("postgresql://%2Frun%2Fpg/x", {"host": "/run/pg", "database": "x"}),
        (
            "postgresql:///x?host=/run/pg&pool_size=4",
            {"host": "/run/pg", "database": "x", "pool_size": 4},
        ),
    ],
)
def test_what_a_postgres_url_leaves_out_keeps_its_default(url: str, changed: Any) -> None:
    assert load_config(url) == PostgresConfig(**changed)


def test_query_parameters_of_a_url_are_option_keys() -> None:
    config = load_config("sqlite:///v.db?pool_size=4&synchronous=full&mmap_size_mib=64")
    assert config == SqliteConfig(
        database_path=Path("v.db"), pool_size=4, synchronous="full", mmap_size_mib=64
    )


@pytest.mark.parametrize(
    "config",
    [
        SqliteConfig(database_path=Path("/srv/my media/ü#?%.db")),
        PostgresConfig(host="::1", user="a@b", database="x/y"),
        PostgresConfig(host="/run/pg"),
    ],
)
def test_the_url_of_a_config_names_the_same_database(config: Config) -> None:
    assert load_config(config.url) == config


def test_nothing_in_a_path_is_expanded() -> None:
    for path in ("~/viewra.db", "$HOME/${X}/%d.db", "!include x.db", "data dir/v.db"):
        assert load_config(yaml_file(f'database: {{database_path: "{path}"}}')) == SqliteConfig(
            database_path=Path(path)
        )


def test_values_are_text_until_the_option_decides() -> None:
    text = "database:\n  type: postgres\n  user: yes\n  database: 0123\n  password: 1e3\n"
    assert load_config(yaml_file(text)) == PostgresConfig(
        user="yes", database="0123", password=Secret("1e3")
    )


def test_loading_creates_nothing(folder: Path) -> None:
    load_config()
    load_config("sqlite:///a/b/c.db")
    load_config("postgresql://localhost/x")
    assert list(folder.iterdir()) == []


# --- The environment ---


def test_the_environment_overrides_every_source() -> None:
    environ = {"VIEWRA_DATABASE_DATABASE_PATH": "/e.db", "VIEWRA_DATABASE_POOL_SIZE": "5"}
    wanted = SqliteConfig(database_path=Path("/e.db"), pool_size=5)
    sources = (
        None,
        {"database": {"pool_size": 9}},
        "sqlite:///x.db",
        yaml_file(SPEC_SQLITE),
        SqliteConfig(pool_size=3),
    )
    assert all(load_config(source, environ=environ) == wanted for source in sources)


def test_the_environment_can_choose_the_engine() -> None:
    environ = {"VIEWRA_DATABASE_TYPE": "postgres", "VIEWRA_DATABASE_PASSWORD": PASSWORD}
    for source in (None, SqliteConfig()):
        assert load_config(source, environ=environ) == PostgresConfig(password=Secret(PASSWORD))


def test_an_option_set_for_the_other_engine_is_not_dropped_in_silence() -> None:
    source = SqliteConfig(database_path=Path("/x.db"))
    message = refused(source, environ={"VIEWRA_DATABASE_TYPE": "postgres"})
    assert "database_path: belongs to type sqlite, but the type here is postgres" in message


def test_the_process_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIEWRA_DATABASE_POOL_SIZE", "77")
    monkeypatch.setenv("VIEWRA_DATABASE_NONSENSE", "1")
    assert load_config() == SqliteConfig()


@pytest.mark.parametrize(
    "name, meant",
    [
        ("VIEWRA_DATABASE_PATH", "VIEWRA_DATABASE_DATABASE_PATH"),
        ("VIEWRA_DATABASE_POOLSIZE", "VIEWRA_DATABASE_POOL_SIZE"),
        ("VIEWRA_DATABASE_pool_size", "VIEWRA_DATABASE_POOL_SIZE"),
        ("VIEWRA_DATABASE_PASWORD", "VIEWRA_DATABASE_PASSWORD"),
    ],
)
def test_an_unknown_variable_is_named_with_the_one_meant(name: str, meant: str) -> None:
    message = refused(None, environ={name: PASSWORD})
    assert f"environment variable {name}:" in message
    assert f"did you mean {meant}?" in message


def test_a_bad_value_names_the_variable() -> None:
    message = refused(None, environ={"VIEWRA_DATABASE_POOL_SIZE": "many"})
    assert message == (
        "environment variable VIEWRA_DATABASE_POOL_SIZE: pool_size:"
        " expected a whole number from 1 to 1000 (given: 'many')"
    )


def test_a_variable_of_the_other_engine_is_refused() -> None:
    message = refused(None, environ={"VIEWRA_DATABASE_PASSWORD": PASSWORD})
    assert "password: belongs to type postgres, but the type here is sqlite" in message


# --- Values ---


def bounds(kind: type[Config]) -> list[tuple[type[Config], str, int, int]]:
    ranges = {
        "pool_size": (1, 1000),
        "busy_timeout_ms": (1, 600_000),
        "scan_batch_rows": (1, 10_000),
        "scan_batch_ms": (1, 10_000),
        "scan_workers": (0, 64),
        "backup_keep": (1, 1000),
        "retention_days": (0, 36_500),
        "slow_query_ms": (0, 600_000),
        "probe_timeout_s": (1, 3600),
    }
    own = {
        "cache_size_kib": (64, 4_194_304),
        "mmap_size_mib": (0, 1_048_576),
        "wal_autocheckpoint_pages": (1, 1_000_000),
    }
    ranges |= own if kind is SqliteConfig else {"port": (1, 65_535)}
    return [(kind, key, low, high) for key, (low, high) in ranges.items()]


@pytest.mark.parametrize("kind, key, low, high", bounds(SqliteConfig) + bounds(PostgresConfig))
def test_a_number_is_held_to_its_range(kind: Any, key: str, low: int, high: int) -> None:
    section = {"type": kind().type}
    for good in (low, high, str(low)):
        assert getattr(load_config({"database": {**section, key: good}}), key) == int(good)
    outside: list[Any] = [low - 1, high + 1, str(high + 1), 10**5000, "9" * 5000]
    for bad in [*outside, True, float(high), "", []]:
        message = refused({"database": {**section, key: bad}})
        assert f"the mapping: {key}: expected a whole number from {low} to {high}" in message


@pytest.mark.parametrize("text", ["0123", "-01", "00"])
def test_a_leading_zero_is_refused_for_it_might_be_octal(text: str) -> None:
    assert "without leading zeros" in refused({"database": {"pool_size": text}})


@pytest.mark.parametrize("text", ["1_0", "0x10", "1e2", "5.0", " 5", "5 ", "+5", "٥", "ten", "yes"])
def test_a_number_is_plain_decimal(text: str) -> None:
    assert "pool_size: expected a whole number" in refused({"database": {"pool_size": text}})


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        "nan",
        "inf",
        -0.1,
        1.1,
        "1.1",
        "25%",
        "1e-1",
        True,
        "",
        [],
        ".",
        pytest.param(10**5000, id="huge"),
    ],
)
def test_the_threshold_is_a_finite_number_from_0_to_1(value: Any) -> None:
    assert "freeze_threshold: expected a number from 0 to 1" in refused(
        {"database": {"freeze_threshold": value}}
    )


@pytest.mark.parametrize(
    "key, value, message",
    [
        ("synchronous", "off", "synchronous: expected normal or full (given: 'off')"),
        ("synchronous", "Full", "expected normal or full (did you mean full?) (given: 'Full')"),
        ("sslmode", "verify_full", "(did you mean verify-full?)"),
        ("type", "mysql", "type: expected sqlite or postgres (given: 'mysql')"),
        ("type", "SQLite", "did you mean sqlite?"),
        ("type", None, "type: expected sqlite or postgres"),
        ("type", ["sqlite"], "type: expected sqlite or postgres (given: a value of type list)"),
    ],
)
def test_a_word_is_one_of_a_few(key: str, value: Any, message: str) -> None:
    assert message in refused({"database": {"type": "postgres", key: value}})


@pytest.mark.parametrize("key", ["host", "user", "database"])
@pytest.mark.parametrize("value", ["", " ", "a\0b", "a\nb", "\ud800", "x" * 256, 5, b"x", []])
def test_a_name_is_printable_text(key: str, value: Any) -> None:
    section = {"type": "postgres", key: value}
    assert f"{key}: expected 1 to 255 printable" in refused({"database": section})


@pytest.mark.parametrize("key", ["host", "user", "database", "password_file"])
def test_a_url_is_no_part_of_a_configuration(key: str) -> None:
    assert f"{key}: a URL cannot be the value of an option" in refused(
        {"database": {"type": "postgres", key: URL}}
    )
    assert not Path("postgresql:").exists()


@pytest.mark.parametrize(
    "path, why",
    [
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("a\0b", "control characters"),
        ("a\nb", "control characters"),
        ("a\ud800b", "control characters"),
        ("data/", "is a folder"),
        (".", "is a folder"),
        ("..", "is a folder"),
        ("data/..", "is a folder"),
        ("folder", "is a folder"),
        (Path("folder"), "is a folder"),
        (URL, "a URL cannot be the value of an option"),
        (Path(URL), "a URL cannot be the value of an option"),
        ("sqlite:///x.db", "a URL cannot be the value of an option"),
        (":memory:", "a store cannot be kept in memory"),
        ("file:x.db", "not a file: URI"),
        (5, "a path"),
        (b"x.db", "a path"),
        (None, "has no value"),
    ],
)
def test_the_database_path_is_the_path_of_a_file(path: Any, why: str) -> None:
    Path("folder").mkdir()
    message = refused({"database": {"database_path": path}})
    assert PASSWORD not in message
    assert message.startswith("the mapping: database_path: ") and why in message


def test_an_option_of_the_other_type_says_to_which_it_belongs() -> None:
    assert "host: belongs to type postgres, but the type here is sqlite" in refused(
        {"database": {"host": "db"}}
    )
    assert "mmap_size_mib: belongs to type sqlite, but the type here is postgres" in refused(
        {"database": {"type": "postgres", "mmap_size_mib": 0}}
    )


@pytest.mark.parametrize(
    "key, meant",
    [
        ("path", "database_path"),
        ("databasepath", "database_path"),
        ("Pool-Size", "pool_size"),
        ("username", "user"),
        ("passwd", "password"),
        ("retention", "retention_days"),
    ],
)
def test_an_unknown_key_is_named_with_the_one_meant(key: str, meant: str) -> None:
    message = refused({"database": {key: PASSWORD}})
    assert f"unknown option '{key}'" in message and f"did you mean {meant}?" in message


def test_an_unknown_key_like_no_other_lists_the_options() -> None:
    assert "unknown option 'zzz': the options are type, pool_size," in refused(
        {"database": {"zzz": 1}}
    )


@pytest.mark.parametrize(
    "source, message",
    [
        (5, "expected a path, a URL, a mapping or a Config, not a value of type int"),
        (b"viewra.yaml", "not a value of type bytes"),
        ("", "path of the YAML file is empty"),
        ({}, "the mapping: expected {'database': {option: value}}"),
        ({"database": "x.db"}, "the mapping: expected"),
        ({"database": None}, "the mapping: expected"),
        ({"database": {5: 1}}, "every key of 'database' must be text"),
    ],
)
def test_a_source_of_the_wrong_shape_is_refused(source: Any, message: str) -> None:
    assert message in refused(source)


# --- URLs ---


@pytest.mark.parametrize(
    "url, message",
    [
        (f"mysql://viewra:{PASSWORD}@db/x", "the URL: mysql:// is not supported: give sqlite:///"),
        (f"postgresql+psycopg://viewra:{PASSWORD}@db/x", "is not supported"),
        (f" postgresql://viewra:{PASSWORD}@db/x", "is not supported"),
        (f"postgresql:viewra:{PASSWORD}@db/x", "is not supported"),
        (f"postgresql:/viewra:{PASSWORD}@db/x", "is not supported"),
        (f"postgresql//viewra:{PASSWORD}@db/x", "viewra"),
        ("sqlite:x.db", "is not supported"),
        ("sqlite::memory:", "is not supported"),
        ("file:///etc/viewra.yaml", "file:// is not supported"),
        ("sqlite://", "expected sqlite:///relative.db"),
        ("sqlite://x.db", "expected sqlite:///rel"),
        ("sqlite:///", "database_path: expected a path, but it is empty"),
        ("sqlite:///:memory:", "a store cannot be kept in memory"),
        ("sqlite:///a/", "is a folder"),
        ("sqlite:///a%00b", "control characters"),
        ("sqlite:///a#b", "expected sqlite:///relative.db"),
        ("sqlite:///a%zz", "expected UTF-8, percent-encoded"),
        ("sqlite:///a\ud800", "expected UTF-8, percent-encoded"),
        (f"postgresql://viewra:{PASSWORD}", "port: expected a whole number"),
        (f"postgresql://viewra:{PASSWORD}/@db/x", "expected postgresql://"),
        (f"postgresql://viewra:{PASSWORD}#@db/x", "expected postgresql://"),
        (f"postgresql://viewra:{PASSWORD}@@db/x", "expected postgresql://"),
        (f"postgresql://viewra:{PASSWORD}%@db/x", "'password': expected UTF-8, percent-encoded"),
        (f"postgresql://viewra:{PASSWORD}%ff@db/x", "password: expected one line of Unicode"),
        (f"postgresql://viewra:{PASSWORD}%00@db/x", "password: expected one line of Unicode"),
        (f"postgresql://viewra:{PASSWORD}@[::1/x", "expected postgresql://"),
        (f"postgresql://viewra:{PASSWORD}@db:x/x", "port: expected a whole number"),
        (f"postgresql://viewra:{PASSWORD}@db/x/y", "expected postgresql://"),
        (f"postgresql://viewra:{PASSWORD}@db/x?user=u", "'user' is given twice"),
        (f"postgresql://viewra:{PASSWORD}@db/x?type=sqlite", "'type' is given twice"),
        (f"postgresql://viewra@db/x?password={PASSWORD}&password=x", "'password' is given twice"),
        (f"postgresql://viewra@db/x?{PASSWORD}", "expected key=value"),
        (f"postgresql://viewra@db/x?{PASSWORD}=1", "unknown option (name not shown)"),
        (f"postgresql://viewra@db/x?pasword={PASSWORD}", "did you mean password?"),
        (f"postgresql://viewra:{PASSWORD}@db/x?mmap_size_mib=1", "belongs to type sqlite"),
        (f"postgresql://viewra:{PASSWORD}@db/x?password_file=p", "password is given too"),
    ],
)
def test_a_bad_url_is_refused_and_its_password_never_shown(url: str, message: str) -> None:
    assert message in refused(url)


# --- The password ---


def test_the_password_never_shows() -> None:
    config = postgres(password=PASSWORD)
    assert config.password.reveal() == PASSWORD
    views = [
        repr(config),
        str(config),
        str(vars(config)),
        f"{config.password}",
        config.url,
        "%s %r" % (config.password, config.password),
        str(dataclasses.asdict(config)),
        repr(copy.deepcopy(config)),
    ]
    assert not any(PASSWORD in view for view in views)
    assert config.url == "postgresql://viewra:***@localhost:5432/viewra"


def test_secrets_compare_by_their_text_and_survive_copies() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a" and len({Secret("a"), Secret("a")}) == 1
    assert not Secret("") and copy.copy(Secret("a")) == copy.deepcopy(Secret("a")) == Secret("a")


def test_a_password_is_not_pickled() -> None:
    for what in (Secret(PASSWORD), postgres(password=PASSWORD), [postgres(password=PASSWORD)]):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="cannot be pickled: pass .* password_"):
                pickle.dumps(what, protocol)
    for config in (postgres(), SqliteConfig(pool_size=3), PostgresConfig(password_file="x")):
        assert pickle.loads(pickle.dumps(config)) == config


@pytest.mark.parametrize(
    "content",
    [
        b"s3cr3t-hunter2",
        b"s3cr3t-hunter2\n",
        b"s3cr3t-hunter2\r\nsecond line",
        b"\xef\xbb\xbfs3cr3t-hunter2\n",
    ],
)
def test_the_password_file_gives_its_first_line(content: bytes) -> None:
    Path("pw").write_bytes(content)
    config = postgres(password_file="pw")
    assert config == PostgresConfig(password=Secret(PASSWORD))
    assert load_config(PostgresConfig(password_file=Path("pw"))) == config
    assert load_config(config) is config


@pytest.mark.parametrize(
    "content, why",
    [
        (b"", "the first line is empty"),
        (b"\ns3cr3t-hunter2", "the first line is empty"),
        (b"s3cr3t-hunter2\xff", "line 1: is not UTF-8 text"),
        (b"s3cr3t-hunter2\0", "line 1: contains a NUL character"),
        (b"s3cr3t-hunter2\t", "password: expected one line"),
        (b"s3cr3t-hunter2" * 5000, "larger than 64 KiB"),
    ],
)
def test_a_bad_password_file_is_refused(content: bytes, why: str) -> None:
    Path("pw").write_bytes(content)
    message = refused({"database": {"type": "postgres", "password_file": "pw"}})
    assert message.startswith("the mapping: password_file") and why in message


@pytest.mark.parametrize(
    "path, why",
    [
        (PASSWORD, "it does not exist"),
        (".", "it is a folder"),
        ("x" * 5000, "name is too long"),
        ("loop", "symbolic links form a loop"),
        ("pipe", "not a regular file"),
        ("", "it is empty"),
        (f"a\0{PASSWORD}", "control characters"),
        (7, "expected a path"),
        (None, "has no value"),
    ],
)
def test_a_password_file_that_cannot_be_read_says_why(path: Any, why: str) -> None:
    os.symlink("loop", "loop")
    os.mkfifo("pipe")
    message = refused({"database": {"type": "postgres", "password_file": path}})
    assert message.startswith("the mapping: password_file") and why in message


def test_a_password_and_a_password_file_together_are_refused() -> None:
    section = {"type": "postgres", "password": PASSWORD, "password_file": "pw"}
    assert "password_file: password is given too" in refused({"database": section})
    environ = {
        "VIEWRA_DATABASE_TYPE": "postgres",
        "VIEWRA_DATABASE_PASSWORD": PASSWORD,
        "VIEWRA_DATABASE_PASSWORD_FILE": "pw",
    }
    assert "password_file: password is given too" in refused(None, environ=environ)
    with pytest.raises(ConfigError, match="password is given too"):
        PostgresConfig(password=Secret(PASSWORD), password_file=Path("pw"))


def test_the_environment_replaces_the_password_however_the_file_gives_it() -> None:
    Path("pw").write_text(PASSWORD)
    inline, by_file = (
        {"type": "postgres", "password": "old"},
        {"type": "postgres", "password_file": "none"},
    )
    wanted = PostgresConfig(password=Secret(PASSWORD))
    for section in (inline, by_file):
        for environ in (
            {"VIEWRA_DATABASE_PASSWORD_FILE": "pw"},
            {"VIEWRA_DATABASE_PASSWORD": PASSWORD},
        ):
            assert load_config({"database": section}, environ=environ) == wanted
    assert load_config(wanted, environ={"VIEWRA_DATABASE_PASSWORD_FILE": "pw"}) == wanted


# --- The objects ---


def test_a_config_is_frozen_and_checked_however_it_is_made() -> None:
    config = SqliteConfig()
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.pool_size = 5
    with pytest.raises(ConfigError, match="SqliteConfig: pool_size: expected a whole number"):
        SqliteConfig(pool_size=0)
    with pytest.raises(ConfigError, match="pool_size"):
        dataclasses.replace(config, pool_size=True)
    made = PostgresConfig(password="x", port="7")
    assert (made.password, made.port) == (Secret("x"), 7)


def test_a_config_is_a_dataclass_in_all_that_shows() -> None:
    config = SqliteConfig(pool_size=3)
    same = dataclasses.replace(SqliteConfig(), pool_size="3")
    assert config == same and hash(config) == hash(same) and config != SqliteConfig()
    assert repr(config).startswith("SqliteConfig(pool_size=3, busy_timeout_ms=10000, ")
    assert SqliteConfig.pool_size == 10 and copy.deepcopy(config) == config
    assert PostgresConfig() != SqliteConfig()
    for wrong in ({"poolsize": 1}, {"type": "postgres"}, {"host": "x"}):
        with pytest.raises(TypeError, match=next(iter(wrong))):
            SqliteConfig(**wrong)
    with pytest.raises(TypeError):
        SqliteConfig(3)  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del config.pool_size


def test_config_itself_is_no_engine() -> None:
    with pytest.raises(TypeError):
        Config()


def test_a_refusal_holds_no_frame_below_load_config() -> None:
    path = yaml_file(f"database:\n  password: '{PASSWORD}\n")
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    below = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)][1:]
    assert below == ["load_config"]
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert PASSWORD not in "".join(
        line for line in shown.format() if "config.py" in line and "test_config.py" not in line
    )


BAD_SOURCES: list[Any] = [
    URL + "?port=0",
    URL + "?pool_size=none",
    URL + "?x=1",
    "mysql" + URL,
    {"database": {"type": "postgres", "password": PASSWORD, "port": 0}},
    {"database": {"type": "postgres", "password": PASSWORD, "host": "no-such-host.invalid"}},
    {"database": PASSWORD},
    {"database": {"database_path": URL}},
]


@pytest.mark.parametrize("source", BAD_SOURCES, ids=range(len(BAD_SOURCES)))
def test_no_frame_of_ours_holds_the_password(source: Any) -> None:
    attempts = [lambda: Store.open(source)]
    if "no-such-host" not in str(source):
        attempts.append(lambda: load_config(source))
        attempts.append(lambda: load_config(environ={"VIEWRA_DATABASE_PASSWORD": PASSWORD}))
    for attempt in attempts:
        with pytest.raises(ViewraError) as caught:
            attempt()
        assert PASSWORD not in shown_by_frames_of_ours(caught.value)


def test_no_frame_of_ours_holds_the_password_of_a_config_that_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        postgres(password=PASSWORD, port=0)
    assert PASSWORD not in shown_by_frames_of_ours(caught.value)


def test_no_frame_of_ours_holds_the_password_when_the_store_is_open_already(folder: Path) -> None:
    with Store.open():
        with pytest.raises(ViewraError) as caught:
            Store.open(URL)
    assert PASSWORD not in shown_by_frames_of_ours(caught.value)


def shown_by_frames_of_ours(error: BaseException) -> str:
    """Return the locals in a traceback, of the package and of what it calls."""
    frames, chain = [], [error]
    while chain:
        link = chain.pop()
        chain += [other for other in (link.__cause__, link.__context__) if other is not None]
        frames += [frame for frame, _ in traceback.walk_tb(link.__traceback__)]
    return "".join(
        repr(frame.f_locals)
        for frame in frames
        if "tests" not in Path(frame.f_code.co_filename).parts
    )


def test_importing_config_loads_no_parser() -> None:
    code = """
import dataclasses, pathlib, sys, types
package = sys.modules["viewra_lite"] = types.ModuleType("viewra_lite")
package.__path__ = ["viewra_lite"]  # without the package's own imports
before = set(sys.modules)
import viewra_lite.config.loading
print(*{"yaml", "difflib", "urllib.parse"} & (set(sys.modules) - before))
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr
