"""viewra-lite web: where it listens, and what it refuses."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import environment
from tests.support.web import serving
from viewra_lite import Store
from viewra_lite.cli import main


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/viewra.db"
    Store.open(url).close()
    return url


def test_a_password_file_is_needed_beyond_this_machine(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for host in ("0.0.0.0", "::", "192.0.2.1", "nas.local"):
        assert main(["--config", url, "web", "--host", host]) == 2
        assert "--password-file" in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "", "\nsecond line", "\xff"])
def test_a_password_file_that_holds_none_is_refused(
    url: str, tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    assert main(["--config", url, "web", "--port", "0", "--password-file", str(file)]) == 2
    assert "--password-file" in capsys.readouterr().err


def test_a_port_that_is_taken_or_impossible_is_named(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--config", url, "web", "--port", port]) == 2
        assert port in capsys.readouterr().err
    assert main(["--config", url, "web", "--port", "65536"]) == 2
    assert main(["--config", url, "web", "--host", "192.0.2.1", "--password-file", __file__]) == 2
    assert "192.0.2.1" in capsys.readouterr().err


def test_a_store_that_is_not_there_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", f"sqlite:///{tmp_path}/none.db", "web"]) != 0
    assert "viewra-lite" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_without_the_extra_it_says_what_to_install(url: str) -> None:
    code = "import sys; sys.modules['starlette'] = None\nfrom viewra_lite.cli import main\n"
    done = subprocess.run(
        [sys.executable, "-c", code + f"sys.exit(main(['--config', {url!r}, 'web']))"],
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert done.returncode == 2 and "pip install" in done.stderr
    assert "Traceback" not in done.stderr


def test_names_and_password_of_the_command_line_are_those_of_the_pages(
    url: str, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("right\n")
    options = ["--name", "nas.local", "--password-file", str(tmp_path / "password")]
    with serving(url, *options) as (port, pid):
        for host, status in {"nas.local": 200, "localhost": 200, "evil.example": 400}.items():
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", "/", headers={"Host": host})
                answer = connection.getresponse()
                assert answer.status == status
                assert b"Libraries" not in answer.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_without_a_traceback(url: str, number: int) -> None:
    command = [sys.executable, "-m", "viewra_lite", "--config", url, "web", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stderr is not None and "localhost" in process.stderr.readline()
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(60) in (0, -number, 128 + number, 130), rest
        assert "Traceback" not in rest
