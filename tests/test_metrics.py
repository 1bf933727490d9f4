"""StoreCollector: what a scrape gets, and that a store never makes it fail."""

from __future__ import annotations

import re
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.configured import configured
from tests.support.torture import tries
from viewra_lite import FileFacts, Store, StoreCollector, load_config
from viewra_lite.errors import ConfigError

prometheus_client = pytest.importorskip("prometheus_client")
parser = pytest.importorskip("prometheus_client.parser")

TITLE, USER = "Canary Film", "canary-user"


def scraped(store: Store, **options: Any) -> dict[str, dict[str, float]]:
    """Scrape a store; return the samples by name, each by its labels."""
    registry = prometheus_client.CollectorRegistry()
    registry.register(StoreCollector(store, **options))
    return samples(prometheus_client.generate_latest(registry).decode())


def samples(text: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for family in parser.text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


def used(store: Store, tmp_path: Path) -> None:
    """Use a store a little: a scan, a film that is played, a job."""
    folder = tmp_path / "Films"
    folder.mkdir()
    films = store.media.add_library("Films", folder, "movie")
    with store.media.reconcile(films.id) as files:
        files.add(FileFacts(str(folder / f"{TITLE} (1999).mkv"), 1000, 1))
    store.media.save_movie(films.id, title=TITLE, year=1999)
    [file] = store.media.files(films.id).items
    session = store.playback.start_session(file.id, user_id=USER, duration=3600.0)
    for second in range(5):
        store.playback.heartbeat(session.id, float(second))
    store.transcoding.request(file.id, {"container": "mp4"})


def test_a_scrape_has_the_numbers_of_the_store(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # on PostgreSQL the folder of backups is below it
    used(store, tmp_path)
    backup = store.backups.create()

    found = scraped(store)

    assert found["viewra_up"] == {"": 1}
    assert found["viewra_records"]["kind=movie"] == 1
    assert found["viewra_records"]["kind=file"] == 1
    assert found["viewra_open_sessions"] == {"": 1}
    assert found["viewra_running_scans"] == {"": 0}
    assert found["viewra_transcodes"] == {"status=pending": 1}
    assert found["viewra_backups"] == {"": 1} and found["viewra_bad_backups"] == {"": 0}
    assert found["viewra_last_backup_size_bytes"] == {"": backup.size}
    assert found["viewra_last_backup_timestamp_seconds"] == {"": backup.created_at.timestamp()}
    assert found["viewra_database_size_bytes"][""] > 0
    assert found["viewra_search_size_bytes"][""] > 0
    assert found["viewra_schema_version"]["module=playback"] >= 1
    engine, version = store.maintenance.database().version.split(" ", 1)
    assert found["viewra_database_info"] == {f"engine={engine},version={version}": 1}
    assert ("viewra_cache_hits_total" in found) == (store.engine == "postgres")


def test_latency_is_a_histogram_that_counts_each_call_once(store: Store, tmp_path: Path) -> None:
    before = store.maintenance.statistics().latency.get("playback.heartbeat")
    used(store, tmp_path)

    facts = store.maintenance.statistics().latency["playback.heartbeat"]
    found = scraped(store)

    assert facts.calls - (before.calls if before else 0) == 5
    assert found["viewra_verb_duration_seconds_count"]["verb=playback.heartbeat"] == facts.calls
    assert found["viewra_verb_duration_seconds_sum"]["verb=playback.heartbeat"] == facts.total_s
    buckets = [
        value
        for labels, value in found["viewra_verb_duration_seconds_bucket"].items()
        if "verb=playback.heartbeat" in labels
    ]
    assert buckets == sorted(buckets) and buckets[-1] == facts.calls
    assert len(buckets) == len(facts.bounds_s) + 1 == 14


def test_no_call_is_lost_between_threads(store: Store) -> None:
    calls = tries(30, 2000)

    def call() -> None:
        for _ in range(calls):
            store.media.search("x")

    before = store.maintenance.statistics().latency.get("media.search")
    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    after = store.maintenance.statistics().latency["media.search"]
    assert after.calls - (before.calls if before else 0) == 8 * calls


def test_a_verb_that_raises_is_counted_too(store: Store) -> None:
    before = store.maintenance.statistics().latency.get("playback.heartbeat")
    with pytest.raises(LookupError):
        store.playback.heartbeat("0190a0a0-0000-7000-8000-000000000000", 1.0)
    after = store.maintenance.statistics().latency["playback.heartbeat"]
    assert after.calls - (before.calls if before else 0) == 1


def test_names_and_labels_are_as_prometheus_wants_them(store: Store, tmp_path: Path) -> None:
    used(store, tmp_path)

    families = list(StoreCollector(store).collect())

    units = {"milliseconds", "minutes", "hours", "days", "kilobytes", "megabytes", "bits"}
    for family in families:
        name = family.name
        assert re.fullmatch(r"viewra_[a-z][a-z0-9]*(_[a-z0-9]+)*", name), name
        assert family.documentation.endswith("."), name
        words = name.split("_")
        assert not units & set(words), f"{name} is not in base units"
        assert not {"gauge", "counter", "histogram", "metric"} & set(words), name
        assert words[-1] not in ("total", "count", "sum", "bucket", "info"), name
        if {"size", "seconds"} & set(words):
            assert words[-1] in ("bytes", "seconds"), f"{name} has its unit last"
        for sample in family.samples:
            assert (family.type == "counter") == sample.name.endswith("_total"), sample.name
            assert set(sample.labels) <= {
                "engine", "kind", "le", "module", "state", "status", "verb", "version",
            }, sample.labels  # fmt: skip
    assert len({family.name for family in families}) == len(families)
    text = repr(families)
    for secret in (TITLE, USER, "Canary", str(tmp_path)):
        assert secret not in text


def test_a_closed_store_is_down_and_the_scrape_succeeds(store: Store, tmp_path: Path) -> None:
    used(store, tmp_path)
    registry = prometheus_client.CollectorRegistry()
    registry.register(StoreCollector(store))
    assert samples(prometheus_client.generate_latest(registry).decode())["viewra_up"] == {"": 1}
    store.close()

    found = samples(prometheus_client.generate_latest(registry).decode())

    assert found["viewra_up"] == {"": 0}
    assert "viewra_records" not in found, "numbers from before it was closed"
    assert found["viewra_verb_duration_seconds_count"]["verb=playback.heartbeat"] >= 5


def test_a_store_whose_backups_cannot_be_read_is_up(store_config: Any, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    config = configured(store_config, backup_folder=str(tmp_path / "loop"))
    with Store.open(config) as store:
        assert store.maintenance.statistics().backups is None
        found = scraped(store)
        assert found["viewra_up"] == {"": 1.0}
        assert "viewra_backups" not in found


def test_a_scrape_does_not_wait_for_a_connection(store_config: Any) -> None:
    config = load_config(store_config)
    changed = {"pool_size": 1, "busy_timeout_ms": 600_000}
    with Store.open(type(config)(**{**vars(config), **changed})) as store:
        assert scraped(store)["viewra_up"] == {"": 1}
        with store.reader():
            store.tables()
            found = scraped(store)  # would wait for ten minutes
        assert found["viewra_up"] == {"": 0}
        assert found["viewra_connections"]["state=in_use"] == 1
        assert scraped(store)["viewra_up"] == {"": 1}


def test_a_scrape_goes_on_beside_a_writer(store: Store) -> None:
    found: list[Any] = []
    with store.writer():
        thread = threading.Thread(target=lambda: found.append(scraped(store)))
        thread.start()
        thread.join()
    assert found[0]["viewra_up"] == {"": 1}


def test_records_are_counted_once_a_minute_and_the_size_at_each_scrape(
    store: Store, tmp_path: Path
) -> None:
    now = [0.0]
    registry = prometheus_client.CollectorRegistry()
    registry.register(StoreCollector(store, clock=lambda: now[0]))

    def libraries() -> float:
        found = samples(prometheus_client.generate_latest(registry).decode())
        assert found["viewra_up"] == {"": 1}
        return found["viewra_records"]["kind=library"]

    assert libraries() == 0
    (tmp_path / "Films").mkdir()
    store.media.add_library("Films", tmp_path / "Films", "movie")
    now[0] = 59.0
    assert libraries() == 0
    now[0] = 60.0
    assert libraries() == 1


def test_registering_asks_the_database_nothing(store: Store) -> None:
    store.close()
    registry = prometheus_client.CollectorRegistry()
    registry.register(StoreCollector(store))
    with pytest.raises(ValueError, match="Duplicated"):
        registry.register(StoreCollector(store))


def test_without_prometheus_client_the_package_is_named(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match="pip install prometheus_client"):
        StoreCollector(store)


def test_status_prints_what_a_textfile_collector_reads(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if store.engine == "postgres":
        pytest.skip("the command line has its own tests of PostgreSQL")
    from viewra_lite.cli import main

    used(store, tmp_path)
    url = store.config.url
    store.close()

    assert main(["--config", url, "status", "--prometheus"]) == 0

    text = capsys.readouterr().out
    assert text.endswith("\n")
    found = samples(text)
    assert found["viewra_up"] == {"": 1} and found["viewra_records"]["kind=movie"] == 1
    assert not [name for name in found if "verb" in name or "wait" in name], "of this process"
