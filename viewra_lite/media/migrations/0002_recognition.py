"""Streams, chapters, extras, scans, and the sources of what is known of a title."""

from peewee import (
    BigIntegerField,
    BooleanField,
    Check,
    CompositeKey,
    DateField,
    DateTimeField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SQL,
    SqliteDatabase,
    TextField,
)

EXTRA_KINDS = (
    "'trailer', 'featurette', 'behind_the_scenes', 'deleted_scene', 'interview', 'scene', 'short', "
    "'clip', 'sample', 'theme', 'other'"
)


def up(migrator, db):
    def json(column):
        # JSONB needs no check.
        checks = [Check(f'"{column}" IS NULL OR json_valid("{column}")')]
        return JSONField(
            null=True, constraints=checks if isinstance(db, SqliteDatabase) else None
        )

    def text():
        return TextField(null=True)

    def whole():
        return IntegerField(null=True)

    def number():
        return DoubleField(null=True)

    def truth():
        return BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])

    pictures = {"logo_path": text(), "thumb_path": text()}
    columns = {
        "media_files": {
            "bit_rate": BigIntegerField(null=True),
            "hdr": text(),
            "edition": text(),
            "part": whole(),
            "source": text(),
        },
        "movies": {"tagline": text(), "content_rating": text(), **pictures, "sources": json("sources")},
        "tv_shows": {**pictures, "sources": json("sources")},
        "seasons": {"sources": json("sources")},
        "episodes": {"sources": json("sources")},
        "albums": {
            "original_date": DateField(null=True),
            "original_year": whole(),
            "is_compilation": BooleanField(null=True),
            "disc_titles": json("disc_titles"),
            "musicbrainz_artist_ids": json("musicbrainz_artist_ids"),
            "replay_gain": number(),
            "replay_peak": number(),
            "sources": json("sources"),
        },
        "tracks": {
            "composer": text(),
            "musicbrainz_artist_ids": json("musicbrainz_artist_ids"),
            "replay_gain": number(),
            "replay_peak": number(),
            "sources": json("sources"),
        },
    }
    migrator.drop_not_null("episodes", "episode_number").run()
    for table, fields in columns.items():
        for name, field in fields.items():
            migrator.add_column(table, name, field).run()

    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class MediaLibrary(Base):
        id = TextField(primary_key=True)

        class Meta:
            table_name = "media_libraries"

    class MediaFile(Base):
        id = TextField(primary_key=True)
        probe_state = TextField()

        class Meta:
            table_name = "media_files"

    class Movie(Base):
        id = TextField(primary_key=True)

        class Meta:
            table_name = "movies"

    class TVShow(Base):
        id = TextField(primary_key=True)

        class Meta:
            table_name = "tv_shows"

    class MediaStream(Base):
        media_file = ForeignKeyField(MediaFile, on_delete="CASCADE", index=False, backref="+")
        stream_index = IntegerField()
        kind = TextField(
            constraints=[Check("\"kind\" IN ('video', 'audio', 'subtitle', 'image')")]
        )
        codec = text()
        profile = text()
        level = text()
        language = text()
        title = text()
        width = whole()
        height = whole()
        frame_rate = number()
        bit_depth = whole()
        hdr = text()
        channels = whole()
        sample_rate = whole()
        bit_rate = BigIntegerField(null=True)
        is_default = truth()
        is_forced = truth()
        external_path = text()

        class Meta:
            table_name = "media_streams"
            primary_key = CompositeKey("media_file", "stream_index")

    class MediaChapter(Base):
        media_file = ForeignKeyField(MediaFile, on_delete="CASCADE", index=False, backref="+")
        chapter_index = IntegerField()
        start = DoubleField()
        title = text()

        class Meta:
            table_name = "media_chapters"
            primary_key = CompositeKey("media_file", "chapter_index")

    class MediaFolder(Base):
        library = ForeignKeyField(MediaLibrary, on_delete="CASCADE", index=False, backref="+")
        path = TextField()
        signature = TextField()
        is_pending = BooleanField(default=True, constraints=[SQL("DEFAULT TRUE")])

        class Meta:
            table_name = "media_folders"
            primary_key = CompositeKey("library", "path")

    MediaFolder.add_index(
        MediaFolder.index(
            MediaFolder.library,
            MediaFolder.path,
            name="idx_media_folders_pending",
            where=MediaFolder.is_pending,
        )
    )

    class MediaScan(Base):
        library = ForeignKeyField(
            MediaLibrary, primary_key=True, on_delete="CASCADE", backref="+"
        )
        folder = text()
        phase = TextField()
        done = IntegerField()
        total = IntegerField()
        errors = IntegerField()
        unplaced = whole()
        started_at = DateTimeField()
        updated_at = DateTimeField()
        ended_at = DateTimeField(null=True)
        is_cancelled = truth()

        class Meta:
            table_name = "media_scans"

    class MediaExtra(Base):
        media_file = ForeignKeyField(MediaFile, primary_key=True, on_delete="CASCADE", backref="+")
        kind = TextField(constraints=[Check(f'"kind" IN ({EXTRA_KINDS})')])
        title = TextField()
        identity = text()
        movie = ForeignKeyField(Movie, null=True, on_delete="SET NULL", backref="+")
        show = ForeignKeyField(TVShow, null=True, on_delete="SET NULL", backref="+")
        season_number = whole()

        class Meta:
            table_name = "media_extras"

    MediaExtra.add_index(MediaExtra.index(MediaExtra.identity, name="idx_media_extras_identity"))
    db.create_tables(
        [MediaStream, MediaChapter, MediaFolder, MediaScan, MediaExtra], safe=False
    )

    # The streams of files that were probed before are read by the next scan.
    MediaFile.update(probe_state="partial").where(
        MediaFile.probe_state.in_(["done", "failed"])
    ).execute()
