"""Nfo files: what they say, whoever wrote them, and that none of them does harm."""

from __future__ import annotations

import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewra_lite.media.beside.nfo.reader import LARGEST_BYTES, Nfo, read
from viewra_lite.media.beside.nfo.xml import decoded

MOVIE = """<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>
<movie>
  <title>The Long Wait</title>
  <originaltitle>La longue attente</originaltitle>
  <sorttitle>Long Wait 1</sorttitle>
  <ratings>
    <rating name="imdb" max="10"><value>6.1</value><votes>12</votes></rating>
    <rating name="other" max="100" default="true"><value>72</value></rating>
  </ratings>
  <userrating>9</userrating>
  <plot>A train is late.
   It comes.</plot>
  <tagline>Mind the gap</tagline>
  <runtime>97</runtime>
  <thumb aspect="poster" preview="https://e.org/s.jpg">https://e.org/poster.jpg</thumb>
  <thumb aspect="landscape">https://e.org/wide.jpg</thumb>
  <fanart><thumb>https://e.org/fan.jpg</thumb></fanart>
  <mpaa>Rated PG-13</mpaa>
  <playcount>3</playcount><watched>true</watched>
  <id>tt0012345</id>
  <uniqueid type="tmdb" default="true">4711</uniqueid>
  <uniqueid type="imdb">tt0012345</uniqueid>
  <genre>Drama / Comedy</genre><genre>Drama</genre>
  <director>Ann Ode</director><director>Bo Tree</director>
  <premiered>1999-05-02</premiered>
  <actor><name>Cy Press</name><role>Guard</role><order>1</order></actor>
  <actor><name>Di Vide</name><role>Driver</role><order>0</order><thumb>https://e.org/d.jpg</thumb></actor>
  <actor><name>El Ement</name></actor>
</movie>
"""


def only(text: str | bytes) -> Nfo:
    (title,) = read(text if isinstance(text, bytes) else text.encode()).titles
    return title


def test_a_film_is_read_into_the_columns_of_a_movie() -> None:
    found = read(MOVIE.encode())
    assert found.problem is None
    (title,) = found.titles
    assert title.kind == "movie"
    assert title.values == {
        "title": "The Long Wait",
        "original_title": "La longue attente",
        "sort_title": "long wait 00001",
        "overview": "A train is late.\nIt comes.",
        "tagline": "Mind the gap",
        "runtime": 97,
        "content_rating": "PG-13",
        "genres": ["Drama", "Comedy"],
        "director": "Ann Ode, Bo Tree",
        "cast": [
            {"name": "Di Vide", "role": "Driver"},
            {"name": "Cy Press", "role": "Guard"},
            {"name": "El Ement"},
        ],
        "rating": 7.2,
        "release_date": date(1999, 5, 2),
        "year": 1999,
        "tmdb_id": 4711,
        "imdb_id": "tt0012345",
    }
    assert title.pictures == {
        "poster_path": "https://e.org/poster.jpg",
        "thumb_path": "https://e.org/wide.jpg",
        "backdrop_path": "https://e.org/fan.jpg",
    }


def test_a_show_its_seasons_names_and_a_season() -> None:
    title = only("""<tvshow><title>Night Bus</title><studio>Channel 9</studio><status>Ended</status>
        <premiered>2011-01-02</premiered><enddate>2013-04-05</enddate><id>81189</id>
        <credits>Flo Ra</credits><runtime>45 min</runtime><mpaa>TV-MA</mpaa>
        <namedseason number="1">The First</namedseason><namedseason number="x">no</namedseason>
        <thumb aspect="poster" season="1" type="season">https://e.org/s1.jpg</thumb></tvshow>""")
    assert title.kind == "show" and title.pictures == {}
    assert title.season_titles == {1: "The First"}
    assert title.values == {
        "title": "Night Bus",
        "network": "Channel 9",
        "status": "ended",
        "first_air_date": date(2011, 1, 2),
        "year": 2011,
        "last_air_date": date(2013, 4, 5),
        "tvdb_id": 81189,
        "creators": ["Flo Ra"],
        "runtime": 45,
        "content_rating": "TV-MA",
    }
    season = only("<season><title>The First</title><seasonnumber>1</seasonnumber></season>")
    assert (season.kind, season.season, season.values) == ("season", 1, {"title": "The First"})


@pytest.mark.parametrize("shape", ["{0}{1}", "<multi>{0}\n{1}</multi>", "{0}\n<?xml?>{1}"])
def test_several_episodes_of_one_file(shape: str) -> None:
    episodes = [
        f"<episodedetails><title>Part {n}</title><season>2</season><episode>{n}</episode>"
        f"<aired>2012-03-0{n}</aired><thumb>https://e.org/{n}.jpg</thumb></episodedetails>"
        for n in (1, 2)
    ]
    found = read(shape.format(*episodes).encode())
    assert found.problem is None
    assert [(one.kind, one.season, one.episode) for one in found.titles] == [
        ("episode", 2, 1),
        ("episode", 2, 2),
    ]
    assert found.titles[1].values == {"title": "Part 2", "air_date": date(2012, 3, 2)}
    assert found.titles[1].pictures == {"still_path": "https://e.org/2.jpg"}


def test_an_album() -> None:
    title = only("""<album><title>Tin Songs</title><year>1988</year><genre>Folk</genre>
        <releasedate>1988-10-01</releasedate><label>Shed</label><type>Album</type>
        <compilation>false</compilation>
        <musicbrainzalbumid>0A1B2C3D-0000-1111-2222-333344445555</musicbrainzalbumid>
        <albumArtistCredits><artist>The Tins</artist></albumArtistCredits></album>""")
    assert title.kind == "album"
    assert title.values == {
        "title": "Tin Songs",
        "year": 1988,
        "release_date": date(1988, 10, 1),
        "genres": ["Folk"],
        "label": "Shed",
        "album_type": "album",
        "is_compilation": False,
        "album_artist": "The Tins",
        "musicbrainz_id": "0a1b2c3d-0000-1111-2222-333344445555",
    }


@pytest.mark.parametrize(
    ("text", "kind", "ids"),
    [
        ("https://www.imdb.com/title/tt0012345/?ref_=a&b=c", None, {"imdb_id": "tt0012345"}),
        ("http://imdb.com/de/title/TT0012345", None, {"imdb_id": "tt0012345"}),
        ("https://www.themoviedb.org/movie/603-the-long-wait", "movie", {"tmdb_id": 603}),
        ("https://www.themoviedb.org/tv/1396", "show", {"tmdb_id": 1396}),
        ("https://thetvdb.com/?tab=series&id=81189&lid=7", "show", {"tvdb_id": 81189}),
        ("https://thetvdb.com/series/81189", "show", {"tvdb_id": 81189}),
        ("https://www.thetvdb.com/dereferrer/series/81189", "show", {"tvdb_id": 81189}),
        (
            "-=[ GROUP ]=- <> imdb.com/title/tt0012345 \nhttps://tmdb.org/movie/7",
            "movie",
            {"imdb_id": "tt0012345", "tmdb_id": 7},
        ),
    ],
)
def test_a_file_that_is_only_an_address(text: str, kind: str | None, ids: dict[str, int]) -> None:
    title = only(text)
    assert (title.kind, title.of, title.values) == ("link", kind, ids)
    assert read(text.encode()).problem is None


def test_an_address_after_the_xml_adds_what_the_xml_lacks() -> None:
    text = "<movie><title>A</title><tmdbid>5</tmdbid></movie>\n"
    title = only(text + "https://www.themoviedb.org/movie/6 https://imdb.com/title/tt0012345")
    assert title.values == {"title": "A", "tmdb_id": 5, "imdb_id": "tt0012345"}
    assert len(read((text + "https://www.themoviedb.org/tv/6").encode()).titles) == 2


@pytest.mark.parametrize(
    "ids",
    [
        "<id>tt0012345</id>",
        "<imdbid>tt0012345</imdbid>",
        "<imdb_id>tt0012345</imdb_id>",
        '<id IMDB="tt0012345"/>',
        '<uniqueid type="IMDB">tt0012345</uniqueid><id>99</id>',
    ],
)
def test_ids_in_every_form(ids: str) -> None:
    assert only(f"<movie>{ids}</movie>").values == {"imdb_id": "tt0012345"}


def test_a_bare_number_is_the_usual_id_of_its_kind() -> None:
    assert only("<movie><id>603</id></movie>").values == {"tmdb_id": 603}
    assert only("<tvshow><id>603</id></tvshow>").values == {"tvdb_id": 603}
    assert only("<movie><tmdbid>99999999999</tmdbid><title>A</title></movie>").values == {
        "title": "A"
    }


# Forgiving


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"<movie><title>Tom & Jerry</title></movie>", "Tom & Jerry"),
        (b"<movie><title>Tom &amp; Jerry &#38; Sons</title></movie>", "Tom & Jerry & Sons"),
        (b"<movie><title>Caf&eacute;&nbsp;One &lt;3</title></movie>", "Café One <3"),
        (b"<movie><title>2 < 3 &bogus; &#0;&#xD800;x</title></movie>", "2 < 3 &bogus; x"),
        (b"<movie><title><![CDATA[A & B &amp; <C>]]></title></movie>", "A & B &amp; <C>"),
        (b"<!-- <title>no</title> & --><movie><title>A</title></movie>", "A"),
        (b"\n\n  <movie><title>A\x0b\x00B</title></movie>\n\n", "AB"),
        (b"<Movie><Title>A</Title></Movie>", "A"),
        (b"\xef\xbb\xbf<movie><title>\xc3\x89t\xc3\xa9</title></movie>", "Été"),
        ("<movie><title>Été</title></movie>".encode("utf-16"), "Été"),
        ("\ufeff<movie><title>Été</title></movie>".encode("utf-16-be"), "Été"),
        (
            '<?xml version="1.0" encoding="utf-16"?><movie><title>Été</title></movie>'.encode(),
            "Été",
        ),
        (
            '<?xml version="1.0" encoding="UTF-8"?><movie><title>Été</title></movie>'.encode(
                "cp1252"
            ),
            "Été",
        ),
        (
            '<?xml version="1.0" encoding="koi8-r"?><movie><title>Лето</title></movie>'.encode(
                "koi8-r"
            ),
            "Лето",
        ),
        (b'<?xml encoding="zlib"?><movie><title>\xc9t\xe9</title></movie>', "Été"),
    ],
)
def test_what_many_programs_write_although_it_is_not_valid(data: bytes, title: str) -> None:
    found = read(data)
    assert found.problem is None
    assert [one.values for one in found.titles] == [{"title": title}]


@pytest.mark.parametrize(
    "text",
    [
        "<movie><title>A</title><plot>cut off he",
        "<movie><title>A</title><plot>x</genre></movie>",
        "<movie><title>A</title></movie><movie><title>",
        "<movie><title>A</title>\n<plot a=b>x</plot></movie>",
    ],
)
def test_of_a_broken_file_what_is_before_the_fault_is_read_and_the_fault_is_named(
    text: str,
) -> None:
    found = read(text.encode())
    assert [one.values for one in found.titles] == [{"title": "A"}]
    assert found.problem is not None and found.problem.startswith("the nfo file is not valid XML")


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("<runtime>2h 16m</runtime>", "runtime", 136),
        ("<runtime>2:16:00</runtime>", "runtime", 136),
        ("<runtime>136 min.</runtime>", "runtime", 136),
        ("<runtime>0</runtime>", "runtime", None),
        ("<runtime>99999999</runtime>", "runtime", None),
        ("<rating>7,5</rating>", "rating", 7.5),
        ("<rating>75</rating>", "rating", None),
        ('<rating max="100">75</rating>', "rating", 7.5),
        ("<rating>nan</rating>", "rating", None),
        ("<rating>0</rating>", "rating", None),
        ("<ratings><rating><value>8</value></rating></ratings>", "rating", 8.0),
        ("<year>1999</year>", "year", 1999),
        ("<year>0</year>", "year", None),
        ("<year>99999</year>", "year", None),
        ("<premiered>1601-01-01</premiered>", "release_date", None),
        ("<premiered>2001-02-30</premiered>", "release_date", None),
        ("<releasedate>25.04.2001</releasedate>", "release_date", date(2001, 4, 25)),
        ("<premiered>2001-04-25T00:00:00Z</premiered>", "release_date", date(2001, 4, 25)),
        ("<premiered>2001</premiered>", "year", 2001),
        ("<plot></plot><outline>Short.</outline>", "overview", "Short."),
        ("<certification>FSK 12</certification>", "content_rating", "FSK 12"),
        ("<genre>Sci-Fi|Action; Drama</genre>", "genres", ["Sci-Fi", "Action", "Drama"]),
        ("<actor>Di Vide</actor>", "cast", [{"name": "Di Vide"}]),
        ("<actor><role>Nobody</role></actor>", "cast", None),
    ],
)
def test_one_value_in_its_forms(text: str, column: str, value: object) -> None:
    titles = read(f"<movie><title>A</title>{text}</movie>".encode()).titles
    assert titles[0].values.get(column) == value


# Hostile


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE movie [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><movie>&b;</movie>',
        '<!DOCTYPE movie SYSTEM "file:///etc/passwd"><movie><title>A</title></movie>',
        '<!doctype movie [<!ENTITY x SYSTEM "file:///etc/passwd">]><movie><title>&x;</title></movie>',
        "<movie><title>A</title></movie><!DOCTYPE movie><movie><title>B</title></movie>",
        '<movie><!ENTITY x "y"><title>A</title></movie>',
    ],
)
def test_document_types_and_entities_are_refused(text: str) -> None:
    found = read(text.encode())
    assert found.titles == ()
    assert found.problem is not None and "document type or an entity" in found.problem


def test_a_file_that_is_too_large_is_refused() -> None:
    found = read(b"<movie><title>A</title></movie>".ljust(LARGEST_BYTES + 1))
    assert found.titles == () and found.problem is not None and "1024 KiB" in found.problem


@pytest.mark.parametrize(
    "data",
    [
        b"<movie>" * 140_000,
        b"<movie>" + b"<a/>" * 200_000,
        b"<movie>" + b"&" * 1_000_000,
        b"<movie>" + b"<![CDATA[" * 110_000,
        b"<movie>" + b"<!--" * 250_000,
        b"<movie>" + b"<?" * 500_000,
        b"<movie>" + b"<" * 1_000_000,
        b"<movie><genre>" + b" / " * 300_000 + b"</genre></movie>",
        b"<movie><title>" + b"a " * 500_000 + b"</title></movie>",
        b"<movie>" + b"<actor><name>A</name></actor>" * 20_000 + b"</movie>",
        b"imdb.com/" * 110_000,
        b"thetvdb.com/aaaaaaaaaaaaaaaaaaaaaaaa" * 29_000,
    ],
    ids=lambda data: data[:16].decode(),
)
def test_a_hostile_file_takes_no_time_to_speak_of(data: bytes) -> None:
    began = time.process_time()
    read(data)
    assert time.process_time() - began < 5


PIECES = st.sampled_from(
    [
        *("<movie>", "</movie>", "<tvshow>", "<episodedetails>", "</episodedetails>", "<title>"),
        *("</title>", "<actor>", "<name>A</name>", "</actor>", "<thumb>", "<![CDATA[", "]]>"),
        *("<!--", "-->", "<?xml ", "?>", "<!DOCTYPE", "&amp;", "&", "&#", "&#x;", "&eacute;", ";"),
        *('<uniqueid type="imdb">', "tt0012345", "</uniqueid>", "1", "-01-01", "\0", "\ufeff"),
        *("https://imdb.com/title/tt0012345", "<rating>", "<season>9", "\ud83d\ude00", "<runtime>"),
        *('<a b="', '">', "\U0001f600", "\ufffe", "'", "é"),
    ]
)


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(PIECES, max_size=40).map(lambda some: "".join(some).encode("utf-8", "replace")),
        st.tuples(st.text(max_size=80), st.sampled_from(["utf-16", "utf-32", "cp1252"])).map(
            lambda pair: f"<movie><title>{pair[0]}".encode(pair[1], "replace")
        ),
    )
)
def test_no_bytes_raise_and_what_is_read_fits_its_column(data: bytes) -> None:
    found = read(data)
    assert found == read(data)
    assert isinstance(decoded(data), str)
    for title in found.titles:
        for value in title.values.values():
            assert value is not None and value != "" and value != []
            if isinstance(value, str):
                assert "\0" not in value and value == value.encode().decode()


@given(st.text(max_size=200))
def test_any_text_that_is_written_as_xml_is_read_back(text: str) -> None:
    from xml.sax.saxutils import escape

    titles = read(
        f"<movie><tagline>x</tagline><title>{escape(text)}</title></movie>".encode(
            "utf-8", "ignore"
        )
    ).titles
    assert titles[0].values["tagline"] == "x"
