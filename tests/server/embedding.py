import asyncio
from contextlib import asynccontextmanager

from viewra_lite import Store
from viewra_lite.errors import ViewraError


@asynccontextmanager
async def lifespan(app):  # of a Starlette or FastAPI app
    with Store.open() as store:
        app.state.store, app.state.scans = store, {}
        stopping = asyncio.Event()
        chores = asyncio.create_task(do_chores(store, stopping))
        yield  # the server serves
        stopping.set()
        for library_id in list(app.state.scans):
            await asyncio.to_thread(store.media.cancel_scan, library_id)
        await asyncio.gather(chores, *app.state.scans.values())


async def do_chores(store, stopping):
    stopped = asyncio.create_task(stopping.wait())
    while not stopped.done():
        try:
            await asyncio.to_thread(store.maintenance.run_due, budget_s=10)
        except ViewraError as exc:
            print("the chores wait for the next minute:", exc)
        await asyncio.wait([stopped], timeout=60)


def start_scan(app, library_id):  # in the background, once at a time
    if library_id not in app.state.scans:
        app.state.scans[library_id] = asyncio.create_task(scan(app, library_id))


async def scan(app, library_id):
    try:
        await asyncio.to_thread(app.state.store.media.scan, library_id)
    except ViewraError as exc:  # such as: another process scans this library
        print("the scan has failed:", exc)
    finally:
        del app.state.scans[library_id]
