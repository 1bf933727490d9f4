"""The pages in a real browser: Chromium of the system, skipped where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.web import serving
from viewra_lite import FileFacts, Store

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A browser at the overview of a store with a film that was played."""
    if not (CHROMIUM and DRIVER):
        assert not os.environ.get("CI"), "CI needs chromium and chromium-driver"
        pytest.skip("no chromium and chromedriver: apt install chromium chromium-driver")
    from selenium import webdriver

    folder = tmp_path_factory.mktemp("browser")
    with Store.open(f"sqlite:///{folder}/viewra.db") as store:
        (folder / "films").mkdir()
        library = store.media.add_library("Films", folder / "films", "movie")
        with store.media.reconcile(library.id) as files:
            files.add(FileFacts(str(folder / "films" / "Heat.mkv"), 3 << 30, 1, duration=100.0))
        [file] = store.media.files(library.id).items
        store.media.save_movie(library.id, title="Heat", media_file=file.id)
        session = store.playback.start_session(file.id, user_id="ann")
        store.playback.stop_session(session.id, position=100.0)
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.add_argument(f"--user-data-dir={folder}/profile")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.set_page_load_timeout(90)
    try:
        with serving(f"sqlite:///{folder}/viewra.db") as (port, _):
            driver.get(f"http://localhost:{port}/")
            driver.home = driver.current_url
            yield driver
    finally:
        driver.quit()


@pytest.fixture(autouse=True)
def at_home(page: Any) -> None:
    page.set_window_size(1280, 900)
    page.get(page.home)
    page.get_log("browser")


def shot(page: Any, folder: Path, name: str) -> None:
    """Save what the page looks like, for whoever wants to see it."""
    assert page.save_screenshot(str(folder / f"{name}.png"))


def complaints(page: Any) -> list[str]:
    return [entry["message"] for entry in page.get_log("browser") if entry["level"] == "SEVERE"]


def is_wider_than_its_window(page: Any) -> bool:
    script = "return document.documentElement.scrollWidth > document.documentElement.clientWidth"
    return bool(page.execute_script(script))


def test_the_overview_shows_pictures_and_the_browser_refuses_none_of_it(
    page: Any, tmp_path: Path
) -> None:
    from selenium.webdriver.common.by import By

    pictures = page.find_elements(By.CSS_SELECTOR, "figure svg")
    assert len(pictures) == 3
    assert all(picture.size["height"] > 40 for picture in pictures)
    shot(page, tmp_path, "overview")
    assert complaints(page) == []


def test_the_overview_fits_a_phone_and_the_dark(page: Any, tmp_path: Path) -> None:
    def colour() -> list[int]:
        found = page.execute_script("return getComputedStyle(document.body).color")
        return [int(part) for part in found.strip("rgba()").split(",")[:3]]

    page.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
    )
    feature = {"name": "prefers-color-scheme", "value": "dark"}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    try:
        assert not is_wider_than_its_window(page)
        assert sum(colour()) > 600  # light on dark
        shot(page, tmp_path, "phone")
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert sum(colour()) < 200


def test_the_pages_are_used_with_the_keyboard_alone(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "To the content"
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "All tables"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.current_url.endswith("/db/viewra")


def test_a_saved_query_and_sql_of_ones_own_are_run(page: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.by import By

    page.find_element(By.LINK_TEXT, "Largest files").click()
    assert "Heat.mkv" in page.find_element(By.TAG_NAME, "table").text
    page.get(f"{page.home}db/viewra?sql=select+title+from+movies")
    assert page.find_element(By.CSS_SELECTOR, "td").text == "Heat"
    page.find_element(By.CSS_SELECTOR, "input[value='Run SQL']").click()
    assert page.find_element(By.CSS_SELECTOR, "td").text == "Heat"
    shot(page, tmp_path, "query")
    assert complaints(page) == []
