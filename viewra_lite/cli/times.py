"""Times as users read and type them: in the local time zone, or in UTC with --utc."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo

_zone: tzinfo | None = None  # None: this machine's


def use_utc(utc: bool) -> None:
    """Show times in UTC, or in the local time zone."""
    global _zone
    _zone = timezone.utc if utc else None


def time_shown(moment: datetime) -> str:
    """Return a moment to the minute, with its zone."""
    return moment.astimezone(_zone).strftime("%Y-%m-%d %H:%M %Z")


def in_utc(moment: datetime | None) -> datetime | None:
    """Return a moment in UTC; a naive one is in the zone in which times are shown."""
    if moment is None:
        return None
    if moment.tzinfo is None and _zone is not None:
        moment = moment.replace(tzinfo=_zone)
    return moment.astimezone(timezone.utc)


def zone() -> tzinfo:
    """Return the zone in which times are shown."""
    return _zone or _Here()


class _Here(tzinfo):
    """The local time zone; astimezone() alone has a fixed offset, without daylight saving."""

    def fromutc(self, dt: datetime) -> datetime:
        local = dt.replace(tzinfo=timezone.utc).astimezone()
        here = local.replace(tzinfo=self)
        return here if here.utcoffset() == local.utcoffset() else here.replace(fold=1)

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def tzname(self, dt: datetime | None) -> str | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def dst(self, dt: datetime | None) -> timedelta | None:
        return None
