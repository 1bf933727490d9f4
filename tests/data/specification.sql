-- The SQL of the specification, viewra-database.md, letter for letter.

CREATE TABLE media_libraries (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    path TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL, -- movie, tv, music
    scan_interval INTEGER DEFAULT 3600,
    last_scan TIMESTAMP,
    created_at TIMESTAMP,
    updated_at TIMESTAMP
);

CREATE TABLE media_files (
    id TEXT PRIMARY KEY,
    library_id TEXT REFERENCES media_libraries(id),
    path TEXT NOT NULL,
    filename TEXT NOT NULL,
    size INTEGER,
    mime_type TEXT,
    container TEXT,
    duration INTEGER, -- seconds
    width INTEGER,
    height INTEGER,
    video_codec TEXT,
    audio_codec TEXT,
    created_at TIMESTAMP,
    updated_at TIMESTAMP,
    UNIQUE(library_id, path)
);

CREATE TABLE movies (
    id TEXT PRIMARY KEY,
    media_file_id TEXT REFERENCES media_files(id),
    title TEXT NOT NULL,
    original_title TEXT,
    overview TEXT,
    release_date DATE,
    runtime INTEGER,
    genres TEXT, -- JSON array
    director TEXT,
    cast TEXT, -- JSON array
    rating REAL,
    poster_path TEXT,
    backdrop_path TEXT,
    tmdb_id INTEGER,
    imdb_id TEXT
);

CREATE TABLE playback_sessions (
    id TEXT PRIMARY KEY,
    media_file_id TEXT REFERENCES media_files(id),
    user_id TEXT,
    device_id TEXT,
    method TEXT, -- direct, transcode
    state TEXT, -- playing, paused, stopped
    position REAL, -- seconds
    duration REAL,
    start_time TIMESTAMP,
    last_activity TIMESTAMP,
    end_time TIMESTAMP
);

CREATE TABLE user_media_progress (
    user_id TEXT,
    media_file_id TEXT REFERENCES media_files(id),
    position REAL,
    completed BOOLEAN DEFAULT FALSE,
    updated_at TIMESTAMP,
    PRIMARY KEY (user_id, media_file_id)
);

CREATE TABLE playback_history (
    id TEXT PRIMARY KEY,
    user_id TEXT,
    media_file_id TEXT,
    played_at TIMESTAMP,
    duration_watched INTEGER,
    completed BOOLEAN
);

CREATE TABLE transcode_sessions (
    id TEXT PRIMARY KEY,
    media_file_id TEXT REFERENCES media_files(id),
    status TEXT, -- pending, running, completed, failed
    provider TEXT,
    content_hash TEXT,
    input_path TEXT,
    output_path TEXT,
    container TEXT,
    video_codec TEXT,
    audio_codec TEXT,
    quality INTEGER,
    progress REAL,
    error_message TEXT,
    created_at TIMESTAMP,
    started_at TIMESTAMP,
    completed_at TIMESTAMP
);

CREATE TABLE transcode_cache (
    id TEXT PRIMARY KEY,
    media_file_id TEXT,
    content_hash TEXT UNIQUE,
    container TEXT,
    video_codec TEXT,
    audio_codec TEXT,
    quality INTEGER,
    file_size INTEGER,
    created_at TIMESTAMP,
    last_accessed TIMESTAMP,
    access_count INTEGER DEFAULT 0
);

CREATE TABLE plugins (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL, -- transcoder, enrichment, scanner
    version TEXT,
    enabled BOOLEAN DEFAULT TRUE,
    config TEXT, -- JSON configuration
    capabilities TEXT, -- JSON capabilities
    last_health_check TIMESTAMP,
    created_at TIMESTAMP,
    updated_at TIMESTAMP
);

CREATE TABLE plugin_metadata (
    id TEXT PRIMARY KEY,
    plugin_id TEXT REFERENCES plugins(id),
    media_file_id TEXT REFERENCES media_files(id),
    metadata_type TEXT,
    metadata TEXT, -- JSON data
    confidence REAL,
    created_at TIMESTAMP
);

-- Media queries
CREATE INDEX idx_media_files_library ON media_files(library_id);
CREATE INDEX idx_media_files_type ON media_files(mime_type);

-- Playback queries
CREATE INDEX idx_sessions_user_time ON playback_sessions(user_id, start_time DESC);
CREATE INDEX idx_sessions_active ON playback_sessions(state) WHERE state IN ('playing', 'paused');

-- History queries
CREATE INDEX idx_history_user_recent ON playback_history(user_id, played_at DESC);

-- Transcoding queries
CREATE INDEX idx_transcode_media ON transcode_sessions(media_file_id);
CREATE INDEX idx_transcode_status ON transcode_sessions(status);
CREATE INDEX idx_cache_hash ON transcode_cache(content_hash);
