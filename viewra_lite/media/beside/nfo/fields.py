"""The elements of nfo files, and the columns that they fill."""

from __future__ import annotations

from typing import Any

from ...names.keys import sort_title
from .values import (
    MOST_ENTRIES,
    address,
    day,
    id_number,
    imdb_id,
    joined,
    line,
    lines,
    minutes,
    prose,
    rating,
    split,
    uuid,
    whole,
    year,
)
from .xml import Element

Read = tuple[dict[str, Any], dict[str, str]]


def movie(root: Element) -> Read:
    """Return the columns of a film, and its pictures."""
    values = {
        **_titles(root),
        **_described(root),
        **_released(root, "release_date", "premiered", "releasedate", "released", "aired"),
        "tagline": prose(root.first("tagline")),
        "director": joined(one.text for one in root.all("director")),
        **_ids(root, "tmdb_id"),
    }
    del values["tvdb_id"]
    return _filled(values), _pictures(root)


def show(root: Element) -> Read:
    """Return the columns of a show, and its pictures."""
    values = {
        **_titles(root),
        **_described(root),
        **_released(root, "first_air_date", "premiered", "aired", "releasedate"),
        "tagline": prose(root.first("tagline")),
        "last_air_date": day(root.first("enddate", "lastaired")),
        "status": _STATUSES.get(root.first("status").strip().lower()),
        "network": line(root.first("studio", "network")),
        "creators": lines(one.text for one in root.all("creator", "credits")),
        **_ids(root, "tvdb_id"),
    }
    return _filled(values), _pictures(root)


def season(root: Element) -> Read:
    """Return the columns of a season, and its pictures."""
    ids = _ids(root, "tvdb_id")
    values = {
        "title": line(root.first("title")),
        "overview": prose(root.first("plot", "outline")),
        "air_date": day(root.first("premiered", "aired", "releasedate")),
        "tmdb_id": ids["tmdb_id"],
        "tvdb_id": ids["tvdb_id"],
    }
    pictures = _pictures(root)
    return _filled(values), {name: pictures[name] for name in ("poster_path",) if name in pictures}


def episode(root: Element) -> Read:
    """Return the columns of an episode, and its picture."""
    described = _described(root)
    del described["genres"], described["content_rating"]
    values = {
        "title": line(root.first("title")),
        **described,
        "air_date": day(root.first("aired", "premiered", "releasedate")),
        "director": joined(one.text for one in root.all("director")),
        **_ids(root, "tvdb_id"),
    }
    return _filled(values), _thumb(root, "still_path")


def album(root: Element) -> Read:
    """Return the columns of an album, and its picture."""
    artists = lines(
        one.first("artist") or one.text
        for one in [*root.all("albumartistcredits"), *root.all("albumartist", "artist")]
    )
    values = {
        "title": line(root.first("title")),
        "album_artist": artists[0] if artists else None,
        **_released(root, "release_date", "releasedate", "premiered"),
        "original_date": day(root.first("originalreleasedate")),
        "genres": split(one.text for one in root.all("genre")),
        "label": line(root.first("label")),
        "album_type": (line(root.first("type", "releasetype")) or "").lower() or None,
        "is_compilation": _truth(root.first("compilation")),
        "musicbrainz_id": uuid(root.first("musicbrainzalbumid")),
    }
    return _filled(values), _thumb(root, "cover_path")


# Parts

_STATUSES = {
    **dict.fromkeys(
        ("continuing", "returning series", "in production", "planned", "pilot"), "continuing"
    ),
    "ended": "ended",
    **dict.fromkeys(("canceled", "cancelled"), "canceled"),
}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _truth(text: str) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(text.lower())


def _titles(root: Element) -> dict[str, Any]:
    title, key = line(root.first("title", "localtitle")), line(root.first("sorttitle"))
    return {
        "title": title,
        "sort_title": sort_title(key) if key else None,
        "original_title": line(root.first("originaltitle")),
    }


def _described(root: Element) -> dict[str, Any]:
    certificate = line(root.first("mpaa", "certification"))
    if certificate and certificate.lower().startswith("rated "):
        certificate = certificate[len("rated ") :].strip()
    return {
        "overview": prose(root.first("plot", "outline")),
        "runtime": minutes(root.first("runtime")),
        "content_rating": certificate or None,
        "genres": split(one.text for one in root.all("genre")),
        "cast": _cast(root),
        "rating": rating(root),
    }


def _cast(root: Element) -> list[dict[str, str]] | None:
    """Return the actors in their order, as {"name": ..., "role": ...}."""
    actors = root.all("actor")
    numbers = [whole(one.first("order", "sortorder")) for one in actors]
    actors = [
        one
        for _, one in sorted(
            zip(numbers, actors), key=lambda pair: MOST_ENTRIES if pair[0] is None else pair[0]
        )
    ]
    found: dict[tuple[str, str], dict[str, str]] = {}
    for one in actors[:MOST_ENTRIES]:
        name, role = line(one.first("name") or one.text), line(one.first("role"))
        if name:
            found[name, role or ""] = {"name": name, **({"role": role} if role else {})}
    return list(found.values()) or None


def _released(root: Element, column: str, *names: str) -> dict[str, Any]:
    days = [found for name in names if (found := day(root.first(name)))]
    years = [year(root.first(name)) for name in ("year", *names)]
    years += [found.year for found in days]
    return {column: next(iter(days), None), "year": next(filter(None, years), None)}


def _ids(root: Element, usual: str) -> dict[str, Any]:
    """Return the external ids; a bare number in <id> is the usual one of its kind."""
    said: dict[str, list[str]] = {"imdb": [], "tmdb": [], "tvdb": []}
    for one in root.all("uniqueid"):
        said.setdefault(one.attributes.get("type", "").lower(), []).append(one.text)
    for site in ("imdb", "tmdb", "tvdb"):
        said[site] += [one.text for one in root.all(f"{site}id", f"{site}_id")]
        said[site] += [one.attributes.get(site, "") for one in root.all("id")]
    bare = [one.text for one in root.all("id")]
    said["imdb"] += bare
    if not root.all("uniqueid"):
        said[usual.removesuffix("_id")] += bare
    return {
        "imdb_id": next(filter(None, map(imdb_id, said["imdb"])), None),
        "tmdb_id": next(filter(None, map(id_number, said["tmdb"])), None),
        "tvdb_id": next(filter(None, map(id_number, said["tvdb"])), None),
    }


_ASPECTS = {
    "": "poster_path",
    "poster": "poster_path",
    "landscape": "thumb_path",
    "thumb": "thumb_path",
    "clearlogo": "logo_path",
    "logo": "logo_path",
    "fanart": "backdrop_path",
}


def _pictures(root: Element) -> dict[str, str]:
    """Return the first address of each picture; those of a season are not the show's."""
    found: dict[str, str] = {}
    fanart = [one for group in root.all("fanart") for one in (group.all("thumb") or [group])]
    art = [one for group in root.all("art") for one in group.children]
    for one, aspect in [
        *((one, one.attributes.get("aspect", "").lower()) for one in root.all("thumb")),
        *((one, "fanart") for one in fanart),
        *((one, one.name) for one in art),
    ]:
        url, column = address(one.text), _ASPECTS.get(aspect)
        if url and column and "season" not in one.attributes:
            found.setdefault(column, url)
    return found


def _thumb(root: Element, column: str) -> dict[str, str]:
    url = next(filter(None, (address(one.text) for one in root.all("thumb"))), None)
    return {column: url} if url else {}
