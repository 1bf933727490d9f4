"""Files and folders that are left out by name: of the system, hidden, or not complete yet."""

from __future__ import annotations

import re

SYSTEM, HIDDEN, INCOMPLETE = "system folder", "hidden", "incomplete download"

# In lower case; a name with a space is a line of its own.
_SYSTEM = frozenset(
    [
        # Windows
        *"$recycle.bin recycler recycled msocache found.000 thumbs.db desktop.ini".split(),
        "system volume information",
        # macOS
        *"__macosx .trashes .spotlight-v100 .fseventsd .temporaryitems .appledouble".split(),
        *".documentrevisions-v100 .apdisk .ds_store".split(),
        "network trash folder",
        "temporary items",
        # Linux, and file systems with snapshots
        *"lost+found .snapshot .snapshots ~snapshot .zfs .recycle .recycle.bin".split(),
        # Synology and QNAP
        *"#recycle #snapshot #snapshots @eadir @tmp @appstore @database @download".split(),
        *"@docker @cloudsync @userpreference @autoupdate @sharebin @sharesnap".split(),
        *"@recycle @recently-snapshot @snapshot @snapshots @__thumb .@__thumb".split(),
    ]
)
_SYSTEM_BEGINNINGS = (".trash-", "@gmt-", "@syno", "#recycle", "#snapshot")
_INCOMPLETE = frozenset(
    ".part .partial .crdownload .download .opdownload .filepart .dtapart .unconfirmed .aria2 "
    ".tmp .temp .!qb .!ut .!bt .bc! .jc! .td .xltd .fdmdownload .idownload".split()
)
_MARKS = frozenset(".@#$~_")
_UNPACKING = ("_unpack_", "_failed_")  # folders that a download is unpacked into
# "...And Justice for All (1979)", and ".45 (2006)"
_BEGINS_WITH_DOTS = re.compile(r"\.{2,}[^.]|\.\d+[ ._(\[]+(?:19|20)\d\d(?!\d)")


def why_left_out(name: str) -> str | None:
    """Return why a file or a folder is left out, SYSTEM, HIDDEN or INCOMPLETE; else None.

    An incomplete file is left out as one that is not media: is_incomplete() says which it is.
    """
    if name[0] not in _MARKS:  # nearly all
        return SYSTEM if name.casefold() in _SYSTEM else None
    folded = name.casefold()
    if folded in _SYSTEM or folded.startswith(_SYSTEM_BEGINNINGS):
        return SYSTEM
    if name[0] == "." and not _BEGINS_WITH_DOTS.match(name):
        return HIDDEN
    return INCOMPLETE if folded.startswith(_UNPACKING) else None


def is_incomplete(name: str) -> bool:
    """Whether the suffix is one that programs give to a download until it is complete."""
    return name[name.rfind(".") :].lower() in _INCOMPLETE
