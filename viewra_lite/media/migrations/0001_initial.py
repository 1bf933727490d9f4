"""The first tables of the media module."""

from peewee import (
    AutoField,
    BigIntegerField,
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

SQLITE = (
    "CREATE VIRTUAL TABLE search_index USING fts5(terms, content=\"search_documents\", "
    'content_rowid=\'seq\', tokenize="ascii tokenchars \'+#\'", detail=none, columnsize=0, '
    "prefix='1 2 3 4')",
    'CREATE TRIGGER search_documents_insert AFTER INSERT ON search_documents BEGIN '
    'INSERT INTO search_index(rowid, terms) VALUES (new.seq, new.terms); END',
    'CREATE TRIGGER search_documents_delete AFTER DELETE ON search_documents BEGIN '
    "INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', old.seq, "
    'old.terms); END',
    'CREATE TRIGGER search_documents_update AFTER UPDATE OF terms ON search_documents'
    " BEGIN INSERT INTO search_index(search_index, rowid, terms) VALUES ('delete', "
    'old.seq, old.terms); INSERT INTO search_index(rowid, terms) VALUES (new.seq, '
    'new.terms); END',
)
POSTGRES = (
    'ALTER TABLE search_documents ADD COLUMN lexemes tsvector GENERATED ALWAYS AS '
    "(array_to_tsvector(string_to_array(terms, ' '))) STORED",
    'CREATE INDEX idx_search_documents_lexemes ON search_documents USING gin '
    '(lexemes) WITH (fastupdate=off)',
)


def up(migrator, db):
    def valid(column):
        # JSONB needs no check.
        if isinstance(db, SqliteDatabase):
            return [Check(f'"{column}" IS NULL OR json_valid("{column}")')]
        return []

    class MediaLibrary(Model):
        id = TextField(primary_key=True)
        name = TextField()
        path = TextField(unique=True)
        type = TextField(constraints=[Check('"type" IN (\'movie\', \'tv\', \'music\')')])
        scan_interval = IntegerField(
            constraints=[SQL('DEFAULT 3600'), Check('"scan_interval" >= 0')]
        )
        last_scan = DateTimeField(null=True)
        created_at = DateTimeField()
        updated_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "media_libraries"

    class MediaFile(Model):
        id = TextField(primary_key=True)
        library = ForeignKeyField(MediaLibrary, on_delete="CASCADE", index=False, backref="+")
        path = TextField()
        filename = TextField()
        size = BigIntegerField(null=True)
        mime_type = TextField(null=True)
        container = TextField(null=True)
        duration = DoubleField(null=True)
        width = IntegerField(null=True)
        height = IntegerField(null=True)
        video_codec = TextField(null=True)
        audio_codec = TextField(null=True)
        created_at = DateTimeField()
        updated_at = DateTimeField()
        modified_ns = BigIntegerField(null=True)
        fingerprint = TextField(null=True)
        identity = TextField(null=True)
        status = TextField(
            constraints=[SQL("DEFAULT 'present'"), Check('"status" IN (\'present\', \'missing\')')]
        )
        missing_since = DateTimeField(null=True)
        probe_state = TextField(
            constraints=[SQL("DEFAULT 'pending'"), Check('"probe_state" IN (\'pending\', \'partial\', \'done\', \'failed\')')]
        )
        error = TextField(null=True)
        disproved_duration = DoubleField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "media_files"
            constraints = [SQL('UNIQUE ("library_id", "path")')]

    MediaFile.add_index(MediaFile.index(
        MediaFile.library, name="idx_media_files_library"
    ))
    MediaFile.add_index(MediaFile.index(
        MediaFile.mime_type, name="idx_media_files_type"
    ))
    MediaFile.add_index(MediaFile.index(
        MediaFile.fingerprint, name="idx_media_files_fingerprint", where=MediaFile.fingerprint.is_null(False)
    ))
    MediaFile.add_index(MediaFile.index(
        MediaFile.library, MediaFile.path, name="idx_media_files_unprobed", where=MediaFile.probe_state.in_(['pending', 'partial'])
    ))
    MediaFile.add_index(MediaFile.index(
        MediaFile.library, MediaFile.missing_since, name="idx_media_files_missing", where=(MediaFile.status == 'missing')
    ))

    class RemovedFile(Model):
        id = TextField(primary_key=True)
        filename = TextField()
        fingerprint = TextField(null=True)
        disproved_duration = DoubleField(null=True)
        removed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "removed_files"

    RemovedFile.add_index(RemovedFile.index(
        RemovedFile.fingerprint, name="idx_removed_files_fingerprint", where=RemovedFile.fingerprint.is_null(False)
    ))

    class Work(Model):
        id = TextField(primary_key=True)
        kind = TextField(
            constraints=[Check('"kind" IN (\'movie\', \'show\', \'episode\', \'album\', \'track\', \'other\')')]
        )
        key = TextField(null=True, unique=True)
        show = ForeignKeyField("self", null=True, on_delete="CASCADE", index=False, backref="+")
        season_number = IntegerField(null=True)
        episode_number = IntegerField(null=True)
        kept = JSONField(null=True, constraints=valid("kept"))

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "works"

    Work.add_index(Work.index(
        Work.show, Work.season_number, Work.episode_number, name="idx_works_episode",
        where=Work.show.is_null(False), unique=True
    ))

    class WorkFile(Model):
        media_file_id = TextField()
        work = ForeignKeyField(Work, on_delete="CASCADE", index=False, backref="+")
        part = IntegerField(constraints=[SQL("DEFAULT 0")])

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "work_files"
            primary_key = CompositeKey("media_file_id", "work")

    WorkFile.add_index(WorkFile.index(
        WorkFile.work, WorkFile.media_file_id, name="idx_work_files_work"
    ))

    class Movie(Model):
        id = TextField(primary_key=True)
        library = ForeignKeyField(MediaLibrary, on_delete="CASCADE", index=False, backref="+")
        media_file = ForeignKeyField(MediaFile, null=True, on_delete="SET NULL", backref="+")
        work = ForeignKeyField(Work, backref="+")
        identity = TextField()
        title = TextField()
        sort_title = TextField()
        year = IntegerField(null=True)
        original_title = TextField(null=True)
        overview = TextField(null=True)
        release_date = DateField(null=True)
        runtime = IntegerField(null=True)
        genres = JSONField(null=True, constraints=valid("genres"))
        director = TextField(null=True)
        cast = JSONField(null=True, constraints=valid("cast"))
        rating = DoubleField(null=True)
        poster_path = TextField(null=True)
        backdrop_path = TextField(null=True)
        tmdb_id = IntegerField(null=True)
        imdb_id = TextField(null=True)
        cleared = JSONField(null=True, constraints=valid("cleared"))
        created_at = DateTimeField()
        updated_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "movies"
            constraints = [SQL('UNIQUE ("library_id", "identity")')]

    Movie.add_index(Movie.index(
        Movie.sort_title, Movie.id, name="idx_movies_title"
    ))
    Movie.add_index(Movie.index(
        Movie.library, Movie.sort_title, Movie.id, name="idx_movies_library_title"
    ))
    Movie.add_index(Movie.index(
        Movie.library, Movie.id, name="idx_movies_library_added"
    ))

    class TVShow(Model):
        id = TextField(primary_key=True)
        library = ForeignKeyField(MediaLibrary, on_delete="CASCADE", index=False, backref="+")
        work = ForeignKeyField(Work, backref="+")
        identity = TextField()
        title = TextField()
        sort_title = TextField()
        year = IntegerField(null=True)
        original_title = TextField(null=True)
        overview = TextField(null=True)
        tagline = TextField(null=True)
        first_air_date = DateField(null=True)
        last_air_date = DateField(null=True)
        status = TextField(
            constraints=[SQL("DEFAULT 'unknown'"), Check('"status" IN (\'continuing\', \'ended\', \'canceled\', \'unknown\')')]
        )
        network = TextField(null=True)
        content_rating = TextField(null=True)
        rating = DoubleField(null=True)
        runtime = IntegerField(null=True)
        genres = JSONField(null=True, constraints=valid("genres"))
        cast = JSONField(null=True, constraints=valid("cast"))
        creators = JSONField(null=True, constraints=valid("creators"))
        poster_path = TextField(null=True)
        backdrop_path = TextField(null=True)
        tmdb_id = IntegerField(null=True)
        tvdb_id = IntegerField(null=True)
        imdb_id = TextField(null=True)
        cleared = JSONField(null=True, constraints=valid("cleared"))
        created_at = DateTimeField()
        updated_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tv_shows"
            constraints = [SQL('UNIQUE ("library_id", "identity")')]

    TVShow.add_index(TVShow.index(
        TVShow.sort_title, TVShow.id, name="idx_tv_shows_title"
    ))
    TVShow.add_index(TVShow.index(
        TVShow.library, TVShow.sort_title, TVShow.id, name="idx_tv_shows_library_title"
    ))
    TVShow.add_index(TVShow.index(
        TVShow.library, TVShow.id, name="idx_tv_shows_library_added"
    ))

    class Season(Model):
        id = TextField(primary_key=True)
        show = ForeignKeyField(TVShow, on_delete="CASCADE", index=False, backref="+")
        season_number = IntegerField()
        title = TextField(null=True)
        overview = TextField(null=True)
        air_date = DateField(null=True)
        poster_path = TextField(null=True)
        tmdb_id = IntegerField(null=True)
        tvdb_id = IntegerField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "seasons"
            constraints = [SQL('UNIQUE ("show_id", "season_number")')]

    class Episode(Model):
        id = TextField(primary_key=True)
        show = ForeignKeyField(TVShow, on_delete="CASCADE", index=False, backref="+")
        season = ForeignKeyField(Season, on_delete="CASCADE", backref="+")
        media_file = ForeignKeyField(MediaFile, null=True, on_delete="SET NULL", backref="+")
        work = ForeignKeyField(Work, backref="+")
        season_number = IntegerField()
        episode_number = IntegerField()
        episode_number_end = IntegerField(null=True)
        absolute_number = IntegerField(null=True)
        title = TextField(null=True)
        overview = TextField(null=True)
        air_date = DateField(null=True)
        runtime = IntegerField(null=True)
        rating = DoubleField(null=True)
        director = TextField(null=True)
        cast = JSONField(null=True, constraints=valid("cast"))
        still_path = TextField(null=True)
        tmdb_id = IntegerField(null=True)
        tvdb_id = IntegerField(null=True)
        imdb_id = TextField(null=True)
        cleared = JSONField(null=True, constraints=valid("cleared"))

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "episodes"
            constraints = [SQL('UNIQUE ("show_id", "season_number", "episode_number")')]

    class Album(Model):
        id = TextField(primary_key=True)
        library = ForeignKeyField(MediaLibrary, on_delete="CASCADE", index=False, backref="+")
        identity = TextField()
        title = TextField()
        sort_title = TextField()
        album_artist = TextField(null=True)
        artists = JSONField(null=True, constraints=valid("artists"))
        release_date = DateField(null=True)
        year = IntegerField(null=True)
        album_type = TextField(null=True)
        genres = JSONField(null=True, constraints=valid("genres"))
        label = TextField(null=True)
        disc_count = IntegerField(null=True)
        track_count = IntegerField(null=True)
        duration = DoubleField(null=True)
        cover_path = TextField(null=True)
        musicbrainz_id = TextField(null=True)
        cleared = JSONField(null=True, constraints=valid("cleared"))
        created_at = DateTimeField()
        updated_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "albums"
            constraints = [SQL('UNIQUE ("library_id", "identity")')]

    Album.add_index(Album.index(
        Album.sort_title, Album.id, name="idx_albums_title"
    ))
    Album.add_index(Album.index(
        Album.library, Album.sort_title, Album.id, name="idx_albums_library_title"
    ))
    Album.add_index(Album.index(
        Album.library, Album.id, name="idx_albums_library_added"
    ))

    class Track(Model):
        id = TextField(primary_key=True)
        album = ForeignKeyField(Album, on_delete="CASCADE", index=False, backref="+")
        media_file = ForeignKeyField(MediaFile, null=True, on_delete="SET NULL", backref="+")
        work = ForeignKeyField(Work, backref="+")
        title = TextField()
        artist = TextField(null=True)
        artists = JSONField(null=True, constraints=valid("artists"))
        disc_number = IntegerField(constraints=[SQL('DEFAULT 1')])
        track_number = IntegerField(constraints=[SQL('DEFAULT 0')])
        duration = DoubleField(null=True)
        year = IntegerField(null=True)
        genres = JSONField(null=True, constraints=valid("genres"))
        lyrics = TextField(null=True)
        musicbrainz_id = TextField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "tracks"
            constraints = [
                SQL('UNIQUE ("album_id", "disc_number", "track_number", "title", "work_id")')
            ]

    class SearchDocument(Model):
        seq = AutoField()
        kind = TextField(
            constraints=[Check('"kind" IN (\'movie\', \'show\', \'episode\', \'album\', \'track\')')]
        )
        movie = ForeignKeyField(Movie, null=True, on_delete="CASCADE", unique=True, backref="+")
        show = ForeignKeyField(TVShow, null=True, on_delete="CASCADE", unique=True, backref="+")
        episode = ForeignKeyField(
            Episode, null=True, on_delete="CASCADE", unique=True, backref="+"
        )
        album = ForeignKeyField(Album, null=True, on_delete="CASCADE", unique=True, backref="+")
        track = ForeignKeyField(Track, null=True, on_delete="CASCADE", unique=True, backref="+")
        title = TextField()
        title_key = TextField()
        terms = TextField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "search_documents"

    SearchDocument.add_index(SearchDocument.index(
        SearchDocument.kind, SearchDocument.title_key, SearchDocument.seq,
        name="idx_search_documents_title"
    ))

    models = [
        MediaLibrary,
        MediaFile,
        RemovedFile,
        Work,
        WorkFile,
        Movie,
        TVShow,
        Season,
        Episode,
        Album,
        Track,
        SearchDocument,
    ]
    db.create_tables(models, safe=False)
    for sql in SQLITE if isinstance(db, SqliteDatabase) else POSTGRES:
        db.execute_sql(sql)
