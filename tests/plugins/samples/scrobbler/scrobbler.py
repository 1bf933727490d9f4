"""Appends what was watched to a file, line by line: python scrobbler.py STORE FILE.

A line with the cursor ends each page: what follows the last one after a kill is read again.
"""

import json
import sys
import time

from viewra_lite import Store


def resume(log):
    """Cut off what follows the last whole page in a file, and return the cursor after it."""
    cursor, end, at = None, 0, log.seek(0)
    for line in log:
        at += len(line)
        if line.startswith(b'{"cursor": ') and line.endswith(b"\n"):
            cursor, end = json.loads(line)["cursor"], at
    log.truncate(end)
    return cursor


def write_page(store, log, cursor):
    """Append what was watched since a cursor, and return the cursor after it."""
    page = store.changes(cursor, limit=100)
    watched = (one for one in page.items if one.event == "progress.completed")
    lines = [{"id": one.id, "at": str(one.created_at), **one.facts} for one in watched]
    lines += [{"cursor": page.next}] if page.items else []
    log.write(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    log.flush()
    return page.next


if __name__ == "__main__":
    with Store.open(sys.argv[1]) as store, open(sys.argv[2], "a+b") as log:
        cursor = resume(log)
        while True:
            before, cursor = cursor, write_page(store, log, cursor)
            time.sleep(0.5 if before == cursor else 0)
