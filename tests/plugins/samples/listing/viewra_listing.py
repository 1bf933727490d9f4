"""The files of a disk that is not mounted here, from a listing that its machine writes.

A line of the listing is the bytes of a file, a tab, and its path below the library's folder:

    find /films -type f -printf '%s\\t%P\\n' > films.tsv
"""

import os

from viewra_lite import FileFacts
from viewra_lite.errors import PluginError
from viewra_lite.plugins import Plugin


class Listing(Plugin):
    id, name, version, api = "listing", "Listing", "1.0.0", 1
    config_schema = {
        "type": "object",
        "required": ["library", "file"],
        "additionalProperties": False,
        "properties": {
            "library": {"type": "string", "title": "The folder of the library"},
            "file": {"type": "string", "title": "The listing"},
        },
    }

    def check(self):
        self.library()

    def run(self, now):
        status = os.stat(self.config["file"])
        written = [status.st_mtime_ns, status.st_size]
        if self.storage.get("written") == written:
            return
        library = self.library()
        # An error inside this block marks no file as missing: the listing is not read to its end.
        with self.store.media.reconcile(library.id) as files:
            for size, path in self.lines():
                files.add(FileFacts(os.path.join(library.path, path), size=size))
        self.storage["written"] = written
        self.log.info("%d new, %d missing", files.result.added, files.result.missing)

    def library(self):
        found = self.store.media.find_library(self.config["library"])
        if found is None:
            raise PluginError(
                f"there is no library at {self.config['library']}", remedy="add the library first"
            )
        return found

    def lines(self):
        """Yield size and path of each file."""
        with open(self.config["file"], encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                size, tab, path = line.rstrip("\n").partition("\t")
                if not (size.isdigit() and tab and path):
                    raise PluginError(
                        f"line {number} of the listing is not bytes, a tab and a path",
                        remedy="write the listing again",
                    )
                yield int(size), path
