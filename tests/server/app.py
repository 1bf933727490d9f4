"""A small media server that embeds the store: browse, search, play, scan, transcode.

    python -m tests.server --port 8080 --workers 2

The store is ./viewra-data/viewra.db.

Routes that are plain functions run in threads, where the store's verbs may wait. A user is an id
in the header X-User: a real server checks who that is.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from viewra_lite import Store, TranscodeCache, TranscodeProfile
from viewra_lite.errors import (
    ConflictError,
    InvalidValueError,
    NotFoundError,
    StoreBusyError,
    ViewraError,
)

from tests.server import embedding

PAGE = 50


class Answer(JSONResponse):
    """Rows as JSON: columns by name, times in ISO format, any file name."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, default=_shown).encode("ascii")


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return value.__data__


def store_of(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def user_of(request: Request) -> str:
    if user := request.headers.get("x-user"):
        return user
    raise HTTPException(401, "the header X-User names nobody")


async def body_of(request: Request, *names: str) -> Any:
    """Return the body of a request, a JSON object that has these names."""
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict) or not set(names) <= body.keys():
        raise HTTPException(400, f"the body must be a JSON object with {', '.join(names)}")
    return body


# Browsing


def page_of(verb: str) -> Callable[[Request], Answer]:
    """Return the route of a verb of store.media that returns pages."""

    def page(request: Request) -> Answer:
        after = request.query_params.get("after")
        found = getattr(store_of(request).media, verb)(limit=PAGE, after=after)
        return Answer({"items": found.items, "next": found.next})

    return page


def thing_of(verb: str) -> Callable[[Request], Answer]:
    """Return the route of a verb of store.media that returns the thing with an id."""

    def thing(request: Request) -> Answer:
        return Answer(getattr(store_of(request).media, verb)(request.path_params["id"]))

    return thing


def show(request: Request) -> Answer:
    found = store_of(request).media.show(request.path_params["id"])
    episodes = [episode for season in found.seasons for episode in season.episodes]
    return Answer({**found.__data__, "episodes": episodes})


def search(request: Request) -> Answer:
    return Answer(store_of(request).media.search(request.query_params.get("q", ""), limit=20))


# Playing


def stream(request: Request) -> Response:
    """Send a file; FileResponse answers requests for a range of its bytes."""
    file = store_of(request).media.file(request.path_params["id"])
    if not os.path.isfile(file.path):
        raise HTTPException(410, "the file is not there: perhaps its disk is unplugged")
    return FileResponse(file.path)


def home(request: Request) -> Answer:
    playback, user = store_of(request).playback, user_of(request)
    return Answer(
        {
            "continue": playback.continue_watching(user, limit=20),
            "next_up": playback.next_up(user, limit=20),
        }
    )


async def start_session(request: Request) -> Answer:
    asked = await body_of(request, "media_file_id")
    started = await run_in_threadpool(
        store_of(request).playback.start_session,
        asked["media_file_id"],
        user_id=user_of(request),
        device_id=asked.get("device_id"),
    )
    return Answer(started, 201)


async def heartbeat(request: Request) -> Answer:
    asked, playback = await body_of(request, "position"), store_of(request).playback
    id, position = request.path_params["id"], asked["position"]
    moved = await run_in_threadpool(playback.heartbeat, id, position, state=asked.get("state"))
    return Answer(moved)


def stop_session(request: Request) -> Answer:
    return Answer(store_of(request).playback.stop_session(request.path_params["id"]))


def mark_watched(request: Request) -> Answer:
    file_id = request.path_params["id"]
    return Answer(store_of(request).playback.mark_watched(user_of(request), media_file_id=file_id))


# Libraries and scans


def libraries(request: Request) -> Answer:
    return Answer({"items": store_of(request).media.libraries()})


async def add_library(request: Request) -> Answer:
    asked, media = await body_of(request, "name", "path", "type"), store_of(request).media
    added = await run_in_threadpool(media.add_library, asked["name"], asked["path"], asked["type"])
    return Answer(added, 201)


def scans(request: Request) -> Answer:
    """Show the scans of all processes, with phase, done and total."""
    scans = store_of(request).media.scans()
    return Answer({"items": [{**scan.__data__, "running": scan.running} for scan in scans]})


async def start_scan(request: Request) -> Answer:
    library_id = request.path_params["id"]
    await run_in_threadpool(store_of(request).media.library, library_id)
    embedding.start_scan(request.app, library_id)
    return Answer({"library_id": library_id}, 202)


def cancel_scan(request: Request) -> Answer:
    return Answer({"cancelled": store_of(request).media.cancel_scan(request.path_params["id"])})


# Transcoding


async def request_transcode(request: Request) -> Answer:
    asked, transcoding = await body_of(request, "media_file_id"), store_of(request).transcoding
    profile = TranscodeProfile(container="mp4", height=asked.get("height"))
    made = await run_in_threadpool(transcoding.request, asked["media_file_id"], profile)
    if isinstance(made, TranscodeCache):
        return Answer({"status": "completed", "path": made.output_path})
    return Answer({"status": made.status, "id": made.id}, 202)


def transcode_next(store: Store, folder: Path) -> bool:
    """Make what a job asks for, and return False if there is none. A real worker runs ffmpeg."""
    job = store.transcoding.claim_next("copy")
    if job is None:
        return False
    path = folder / f"{job.id}.mp4"
    try:
        shutil.copyfile(store.media.file(job.media_file_id).path, path)
    except (OSError, NotFoundError) as exc:
        store.transcoding.fail(job.id, str(exc), attempt=job.attempts)
        return True
    size = path.stat().st_size
    try:
        store.transcoding.complete(
            job.id, output_path=str(path), file_size=size, attempt=job.attempts
        )
    except ConflictError:  # it was cancelled, or took too long and is another worker's
        path.unlink()
    return True


async def transcode(store: Store, folder: Path) -> None:
    """Work through the queue, until the server stops."""
    folder.mkdir(parents=True, exist_ok=True)
    while True:
        if not await asyncio.to_thread(transcode_next, store, folder):
            await asyncio.sleep(1)


# The server


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with embedding.lifespan(app):
        worker = asyncio.create_task(transcode(app.state.store, Path("viewra-cache")))
        yield
        worker.cancel()


def failed(request: Request, exc: Exception) -> Answer:
    """Answer with the store's own words, and the status that they mean."""
    statuses = {NotFoundError: 404, InvalidValueError: 400, ConflictError: 409, StoreBusyError: 503}
    found = [status for kind, status in statuses.items() if isinstance(exc, kind)]
    return Answer({"error": str(exc)}, found[0] if found else 500)


def refused(request: Request, exc: HTTPException) -> Answer:
    return Answer({"error": exc.detail}, exc.status_code)


app = Starlette(
    lifespan=lifespan,
    exception_handlers={ViewraError: failed, HTTPException: refused},
    routes=[
        Route("/movies", page_of("movies")),
        Route("/movies/{id}", thing_of("movie")),
        Route("/shows", page_of("shows")),
        Route("/shows/{id}", show),
        Route("/albums", page_of("albums")),
        Route("/albums/{id}", thing_of("album")),
        Route("/files/{id}", thing_of("file")),
        Route("/search", search),
        Route("/home", home),
        Route("/files/{id}/stream", stream),
        Route("/files/{id}/watched", mark_watched, methods=["POST"]),
        Route("/sessions", start_session, methods=["POST"]),
        Route("/sessions/{id}", heartbeat, methods=["POST"]),
        Route("/sessions/{id}", stop_session, methods=["DELETE"]),
        Route("/libraries", libraries),
        Route("/libraries", add_library, methods=["POST"]),
        Route("/libraries/{id}/scan", start_scan, methods=["POST"]),
        Route("/libraries/{id}/scan", cancel_scan, methods=["DELETE"]),
        Route("/scans", scans),
        Route("/transcodes", request_transcode, methods=["POST"]),
    ],
)
