"""Run the server: python -m tests.server --port 8080 --workers 2."""

from __future__ import annotations

import argparse

import uvicorn

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    uvicorn.run(
        "tests.server.app:app",
        port=given.port,
        workers=given.workers,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=75,
    )
