"""viewra-lite plugins: each command, on both engines, with plugins of a folder."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import Run
from tests.support.plugins import forgotten, written

OMDB = """
from viewra_lite.errors import PluginError
from viewra_lite.plugins import Plugin

class Omdb(Plugin):
    id, name, version = "omdb", "OMDb", "1.2.0"
    config_schema = {
        "type": "object", "required": ["key"], "additionalProperties": False,
        "properties": {"key": {"type": "string", "writeOnly": True},
                       "a_run": {"type": "integer", "default": 100},
                       "servers": {"type": "array", "items": {"type": "string"}}}}

    def check(self):
        if self.config["key"] != "s3cret":
            raise PluginError("the key is refused", remedy="get one at omdbapi.com")

    def run(self, now):
        print("running")
        if self.config["a_run"] == 13:
            raise OSError("no answer to " + self.config["key"])
        self.storage["ran"] = True
"""
BROKEN = "import nothing_such"


@pytest.fixture
def omdb(cli: Run, folder: Path, url: str) -> Iterator[Run]:
    """The command line of a store with a folder of two plugins, one of them broken."""
    plugins = folder / "plugins"
    folder.chmod(0o755)  # whatever the umask is
    written(plugins, {"kit_omdb.py": OMDB, "kit_broken.py": BROKEN})
    config = ("--config", f"{url}{'&' if '?' in url else '?'}plugins_folder={plugins}")
    assert cli("init", *config).code == 0
    with forgotten(plugins):
        yield lambda *words: cli(*words, *config)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_plugin_is_listed_configured_enabled_run_and_removed(
    omdb: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heading, *rows = omdb("plugins").out.splitlines()
    assert heading.split() == ["id", "name", "version", "state", "reason"]
    assert [row.split()[0] for row in rows] == ["kit_broken", "omdb"]
    assert [
        one["id"] for one in omdb("plugins", "list", "--state", "off", "--json").json["plugins"]
    ] == ["omdb"]
    refused = omdb("plugins", "enable", "omdb")
    assert refused.code == 1 and "config must contain ['key'] properties" in refused.err
    assert "viewra-lite plugins configure omdb KEY=VALUE --config" in refused.err

    typed(monkeypatch, "wrong\n")
    assert (
        "config.key    ***"
        in omdb("plugins", "configure", "omdb", "a_run=5", "--read", "key=-").out
    )
    refused = omdb("plugins", "enable", "omdb")
    assert refused.code == 1 and "the key is refused: get one at omdbapi.com" in refused.err

    (folder / "key.txt").write_text("s3cret\n")
    asked = omdb(
        "plugins", "configure", "om", 'servers=["a", "b"]', "--read", f"key={folder / 'key.txt'}"
    )
    assert asked.code == 0 and "config.a_run" in asked.out and "s3cret" not in asked.out
    assert "viewra-lite plugins enable omdb" in asked.err
    assert omdb("plugins", "enable", "omdb").out == "The plugin omdb is on\n"
    shown = omdb("plugins", "show", "omdb").out
    assert "s3cret" not in shown and "1.2.0" in shown and "['a', 'b']" in shown

    assert omdb("plugins", "run").out.startswith("running\nomdb: done (")
    asked = omdb("plugins", "run", "--json")
    assert (asked.json["runs"][0]["error"], asked.err) == (None, "running\n")
    assert omdb("plugins", "configure", "omdb", "a_run=13").code == 0
    failed = omdb("plugins", "run")
    assert failed.code == 1 and failed.err == (
        "viewra-lite: omdb failed: OSError: no answer to ***\n"
    )
    assert omdb("plugins", "run").err == "No plugin is due\n"
    status = omdb("plugins", "show", "omdb", "--json").json
    assert status["config"] == {"key": "***", "a_run": 13, "servers": ["a", "b"]}
    assert status["error"] == "OSError: no answer to ***"

    assert omdb("plugins", "usage", "omdb", "--json").json["usage"][0]["storage_keys"] == 1
    used = omdb("plugins", "usage").out
    assert all(word in used for word in ("storage keys", "\nbytes", "answer bytes", "fields")), used
    assert omdb("plugins", "disable", "omdb", "--json").json["state"] == "off"
    asked = omdb("plugins", "uninstall", "omdb", "--purge")
    assert asked.code == 2 and "plugins uninstall omdb --purge --yes" in asked.err
    counted = omdb("plugins", "uninstall", "omdb", "--purge", "--dry-run")
    assert counted.code == 0 and counted.out.startswith("--purge would remove of omdb:\n")
    assert "\nbytes" in counted.out and "\nfields" in counted.out
    assert omdb("plugins", "uninstall", "omdb").out.startswith(
        "Uninstalled omdb; these data stay:\n"
    )
    purged = omdb("plugins", "uninstall", "omdb", "--purge", "--yes", "--json").json
    assert (purged["purged"], purged["storage_keys"]) == (True, 1)
    [left] = omdb("plugins", "usage", "omdb", "--json").json["usage"]
    assert (left["tables"], left["storage_keys"]) == ({}, 0)


def test_a_whole_configuration_is_read_from_a_file_or_standard_input(
    omdb: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"key": "s3cret", "a_run": 7}
    (folder / "c.yaml").write_text("key: s3cret\na_run: 7\n")
    (folder / "c.json").write_text(json.dumps(given, indent="\t"))
    for source in ("c.yaml", "c.json", "-"):
        typed(monkeypatch, json.dumps(given))
        status = omdb("plugins", "configure", "omdb", "--file", source, "--json").json
        assert status["config"] == {"key": "***", "a_run": 7}
        assert (
            omdb("plugins", "configure", "omdb", "a_run=8", "--json").json["config"]["a_run"] == 8
        )
    assert (
        omdb("plugins", "configure", "omdb", "--unset", "a_run", "--json").json["config"]["a_run"]
        == 100
    )
    assert omdb("plugins", "enable", "omdb").code == 0  # the secret is kept


def test_a_secret_among_the_arguments_is_accepted_and_the_better_way_is_said(omdb: Run) -> None:
    done = omdb("plugins", "configure", "omdb", "key=s3cret")
    assert done.code == 0 and "s3cret" not in done.out + done.err
    assert (
        "key is secret" in done.err and "plugins configure omdb --read key=- --config" in done.err
    )


WRONG = {
    "unknown": (("show", "nothing"), 1, "no plugin 'nothing': viewra-lite plugins"),
    "broken": (("enable", "kit_broken"), 1, "No module named 'nothing_such'"),
    "no change": (("configure", "omdb"), 2, "nothing to change"),
    "no pair": (("configure", "omdb", "s3cret"), 2, "expected KEY=VALUE"),
    "wrong type": (("configure", "omdb", "key=s3cret", "a_run=x"), 2, "config.a_run must be int"),
    "unknown key": (("configure", "omdb", "key=s3cret", "b=1"), 2, "config must not contain"),
    "no unset": (("configure", "omdb", "--unset", "b"), 2, "nothing to unset at 'b'"),
    "no file": (("configure", "omdb", "--file", "missing"), 2, "missing: cannot be read"),
    "not yaml": (("configure", "omdb", "--file", "wrong.yaml"), 2, "line 2 is neither JSON nor"),
    "a list": (("configure", "omdb", "--file", "list.yaml"), 2, "expected names with values"),
    "a date": (("configure", "omdb", "--file", "date.yaml"), 2, "not a JSON value"),
    "empty": (("configure", "omdb", "--read", "key=empty"), 2, "the first line is empty"),
    "state": (("list", "--state", "odd"), 2, "invalid choice"),
    "verb": (("remove",), 2, "invalid choice"),
}


def test_a_mistake_is_named_with_its_remedy_and_shows_no_secret(omdb: Run, folder: Path) -> None:
    for name, text in {
        "wrong.yaml": "key: s3cret\na: [s3cret}\n",
        "list.yaml": "- s3cret\n",
        "date.yaml": "key: 2024-05-01\n",
        "empty": "",
    }.items():
        (folder / name).write_text(text)
    for name, (words, code, message) in WRONG.items():
        done = omdb("plugins", *words)
        assert (done.code, done.out) == (code, ""), (name, done)
        assert message in done.err and done.err.count("\n") == 1, (name, done.err)
        assert "s3cret" not in done.err and "unexpected" not in done.err, name


def test_maintain_runs_the_plugins(omdb: Run) -> None:
    omdb("plugins", "configure", "omdb", "key=s3cret")
    omdb("plugins", "enable", "omdb")
    done = omdb("maintain", "--only", "plugins.run", "--json")
    assert (done.code, done.json["chores"][0]["done"]) == (0, "omdb ran")
