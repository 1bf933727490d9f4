"""The configuration of a plugin: validated, completed, and never shown with its secrets."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import pytest

from viewra_lite import Store
from viewra_lite.errors import InvalidValueError, PluginError
from viewra_lite.plugins import Plugin, on
from viewra_lite.plugins.models import PluginRow
from viewra_lite.plugins.settings import MASK, checked, masked, validator

SECRET = "s3cret key/with 'quotes'"
SCHEMA = {
    "type": "object",
    "required": ["key"],
    "additionalProperties": False,
    "properties": {
        "key": {"type": "string", "title": "API key", "writeOnly": True, "maxLength": 40},
        "a_run": {"type": "integer", "default": 100, "minimum": 1},
        "servers": {
            "type": "array",
            "default": [],
            "items": {
                "type": "object",
                "properties": {
                    "url": {"type": "string"},
                    "token": {"type": "string", "writeOnly": True},
                    "port": {"type": "integer", "default": 80},
                },
            },
        },
    },
}


MADE: list[Plugin] = []


class Leaky(Plugin):
    id = "leaky"
    config_schema = SCHEMA

    def check(self) -> None:
        MADE[:] = [self]
        if self.config["a_run"] == 1:
            raise PluginError(f"{self.config['key']} is refused", remedy="another key")
        if self.config["a_run"] == 2:
            raise OSError(f"GET https://example.org/?key={quote(self.config['key'])}")

    def run(self, now: datetime) -> None:
        self.log.warning("config %s, key %s", self.config, self.config["key"])
        try:
            raise OSError(self.config["key"])
        except OSError:
            self.log.exception("it failed")
        raise OSError(f"{self.config['key']!r} is refused")

    @on("library.added")
    def added(self) -> None:
        raise ValueError(self.config["servers"][0]["token"])


@pytest.fixture
def leaky(store: Store) -> Store:
    store.plugins.register(Leaky)
    return store


def stored(store: Store) -> Any:
    with store.reader():
        return PluginRow.get().config


def test_defaults_are_filled_in_and_secrets_are_masked(leaky: Store) -> None:
    found = leaky.plugins.configure("leaky", {"key": SECRET, "servers": [{"token": "t0ken"}]})
    assert found.config == {"key": MASK, "a_run": 100, "servers": [{"token": MASK, "port": 80}]}
    leaky.plugins.enable("leaky")
    plugin = MADE[-1]
    assert plugin.config["key"] == SECRET and plugin.config["servers"][0]["token"] == "t0ken"
    shown = repr(plugin.config) + str(plugin.config["servers"]) + f"{plugin.config}"
    assert SECRET not in shown and "t0ken" not in shown and MASK in shown


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "config must contain"),
        ({"key": 5}, "config.key must be string"),
        ({"key": SECRET * 9}, "config.key must be shorter"),
        ({"key": "k", "a_run": "many"}, "config.a_run must be integer"),
        ({"key": "k", "a_run": 0}, "config.a_run must be bigger"),
        ({"key": "k", "servers": [{}, {"port": "x"}]}, r"config.servers\[1\].port must be integer"),
        ({"key": "k", "other": 1}, "other"),
        ({"key": float("nan")}, "not a JSON value"),
        ({"key": b"k"}, "not a JSON value"),
        ([], "mapping must be a mapping"),
        (None, "mapping must be a mapping"),
    ],
)
def test_a_wrong_value_names_its_path_and_changes_nothing(
    leaky: Store, wrong: Any, message: str
) -> None:
    leaky.plugins.configure("leaky", {"key": "before"})
    with pytest.raises(InvalidValueError, match=message) as error:
        leaky.plugins.configure("leaky", wrong)
    assert SECRET not in str(error.value)
    assert stored(leaky)["key"] == "before"


def test_it_cannot_be_enabled_without_a_configuration_that_fits(leaky: Store) -> None:
    with pytest.raises(PluginError, match="config must contain") as error:
        leaky.plugins.enable("leaky")
    assert "configure" in error.value.remedy
    assert leaky.plugins.plugin("leaky").state == "off"


def test_a_masked_value_that_is_given_back_keeps_the_stored_one(leaky: Store) -> None:
    shown = leaky.plugins.configure("leaky", {"key": SECRET}).config
    leaky.plugins.configure("leaky", {**shown, "a_run": 7})
    assert stored(leaky) == {"key": SECRET, "a_run": 7, "servers": []}


def test_no_secret_is_in_a_log_an_error_or_a_state(
    leaky: Store, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    caplog.set_level(logging.DEBUG, logger="viewra_lite")
    said: list[object] = []
    for a_run in (1, 2, 3):
        config = {"key": SECRET, "a_run": a_run, "servers": [{"token": "t0ken"}]}
        said.append(leaky.plugins.configure("leaky", config))
        if a_run < 3:
            with pytest.raises(PluginError) as error:
                leaky.plugins.enable("leaky")
            said += [str(error.value), error.value.reason, error.value.remedy]
    leaky.plugins.enable("leaky")
    said += leaky.plugins.run_due()
    leaky.media.add_library("Films", tmp_path, "movie")
    said += leaky.plugins.plugins()
    leaky.plugins.uninstall("leaky")
    said += leaky.plugins.plugins()
    said.append(caplog.text)
    text = "\n".join(map(str, said))
    assert "it failed" in text and "is refused" in text and "added()" in text
    for secret in (SECRET, repr(SECRET)[1:-1], quote(SECRET), "s3cret", "t0ken"):
        assert secret not in text


def test_a_configuration_that_no_longer_fits_switches_off(store_config: Any) -> None:
    class Old(Plugin):
        id = "leaky"

    with Store.open(store_config) as store:
        store.plugins.register(Old)
        store.plugins.configure("leaky", {"anything": 1})
        assert store.plugins.enable("leaky").config == {"anything": 1}
    with Store.open(store_config) as store:
        found = store.plugins.register(Leaky)
        assert found.state == "off" and "no longer fits" in found.reason
        assert "configure" in found.remedy
        store.plugins.configure("leaky", {"key": SECRET})
        assert store.plugins.enable("leaky").state == "on"


def test_without_the_package_only_a_plugin_with_a_schema_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plain(Plugin):
        id = "plain"

    monkeypatch.setitem(sys.modules, "fastjsonschema", None)
    found = store.plugins.register(Leaky)
    assert (found.state, found.remedy) == ("broken", "pip install fastjsonschema")
    with pytest.raises(PluginError, match="pip install fastjsonschema"):
        store.plugins.configure("leaky", {"key": SECRET})
    store.plugins.register(Plain)
    store.plugins.configure("plain", {"key": 1})
    assert store.plugins.enable("plain").state == "on"


@pytest.mark.parametrize(
    "schema",
    [
        5,
        {"type": "nothing"},
        {"properties": 5},
        {"pattern": "("},
        {"$ref": "https://example.org/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/definitions/none"},
        {"default": b"bytes"},
    ],
)
def test_a_schema_that_cannot_be_used_makes_the_plugin_broken(store: Store, schema: Any) -> None:
    class Odd(Plugin):
        id = "odd"
        config_schema = schema

    found = store.plugins.register(Odd)
    assert (found.state, found.remedy) == ("broken", "correct the schema") or schema == 5
    assert "schema" in found.reason


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        ({"$ref": "#/definitions/s", "definitions": {"s": {"writeOnly": True}}}, "x", MASK),
        (
            {"properties": {"a": {"$ref": "#/properties/b"}, "b": {"writeOnly": True}}},
            {"a": 1, "b": 2, "c": 3},
            {"a": MASK, "b": MASK, "c": 3},
        ),
        ({"anyOf": [{}, {"properties": {"a": {"writeOnly": True}}}]}, {"a": 1}, {"a": MASK}),
        ({"if": {}, "then": {"properties": {"a": {"writeOnly": True}}}}, {"a": 1}, {"a": MASK}),
        ({"patternProperties": {"^t": {"writeOnly": True}}}, {"t": 1, "u": 1}, {"t": MASK, "u": 1}),
        (
            {"additionalProperties": {"writeOnly": True}, "properties": {"a": {}}},
            {"a": 1, "b": 1},
            {"a": 1, "b": MASK},
        ),
        ({"items": {"writeOnly": True}}, [1, 2], [MASK, MASK]),
        (
            {"items": [{}, {"writeOnly": True}], "additionalItems": {"writeOnly": True}},
            [1, 2, 3],
            [1, MASK, MASK],
        ),
        (
            {"properties": {"n": {"$ref": "#"}, "s": {"writeOnly": True}}},
            {"n": {"n": {"s": 1}}, "s": 1},
            {"n": {"n": {"s": MASK}}, "s": MASK},
        ),
        ({"allOf": [{"$ref": "#"}]}, {"a": 1}, {"a": 1}),
        (True, {"a": 1}, {"a": 1}),
        (None, {"a": [1]}, {"a": [1]}),
    ],
)
def test_what_is_writeonly_is_masked_wherever_the_schema_says_it(
    schema: Any, value: Any, expected: Any
) -> None:
    assert masked(value, schema) == expected


def test_a_checked_configuration_is_a_copy() -> None:
    given: Mapping[str, Any] = {"key": "k", "servers": [{}]}
    checked(given, validator(SCHEMA), SCHEMA)
    assert given == {"key": "k", "servers": [{}]}
