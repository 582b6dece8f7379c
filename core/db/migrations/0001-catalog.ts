/**
 * The catalog. Times are milliseconds since 1970 unless said otherwise; hashes are SHA-256 in hex.
 *
 * A file is a path; an image is its content. `file.shown` is 2 for the file that stands for its image in
 * the library, at least 1 for the file that stands for it in its folder, else 0: so that a page of the
 * grid is one walk along an index, however large the library. `name_key` and `taken_key` are what the
 * grid sorts and filters by.
 *
 * `vector.id` grows and is never used again: it is the generation of the vector index.
 */
export const sql = `
CREATE TABLE folder (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  path TEXT NOT NULL UNIQUE,
  added_at INTEGER NOT NULL,
  -- Taken out of the library: hidden until the engine stops, deleted when it starts again.
  removed_at INTEGER,
  offline INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE image (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  content_hash TEXT NOT NULL UNIQUE,
  pixel_hash TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  format TEXT NOT NULL,
  bit_depth INTEGER NOT NULL,
  has_alpha INTEGER NOT NULL,
  profile TEXT,
  taken_at INTEGER,
  camera TEXT,
  lens TEXT,
  iso REAL,
  exposure REAL,
  aperture REAL,
  focal_length REAL,
  latitude REAL,
  longitude REAL,
  sigma REAL,
  -- 64 bits, as a signed number.
  perceptual_hash INTEGER NOT NULL,
  added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE file (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
  path TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  size INTEGER NOT NULL,
  -- Microseconds since 1970.
  mtime INTEGER NOT NULL,
  inode INTEGER,
  state TEXT NOT NULL CHECK (state IN ('pending', 'indexed', 'failed', 'missing')),
  image INTEGER REFERENCES image (id),
  error_code TEXT,
  error_message TEXT,
  -- When this state was found.
  seen_at INTEGER NOT NULL,
  shown INTEGER NOT NULL DEFAULT 0,
  name_key TEXT NOT NULL,
  taken_key INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX file_image ON file (image) WHERE image IS NOT NULL;
CREATE INDEX file_content_size ON file (size) WHERE image IS NOT NULL;
CREATE INDEX file_folder_state ON file (folder, state);
CREATE INDEX file_pending ON file (folder, id) WHERE state = 'pending';
CREATE INDEX file_failed ON file (path) WHERE state = 'failed';

CREATE INDEX file_library_added ON file (image, folder, name_key) WHERE shown = 2;
CREATE INDEX file_library_taken ON file (taken_key, image, folder, name_key) WHERE shown = 2;
CREATE INDEX file_library_name ON file (name_key, image, folder) WHERE shown = 2;
CREATE INDEX file_library_size ON file (size, image, folder, name_key) WHERE shown = 2;
CREATE INDEX file_folder_added ON file (folder, image, name_key) WHERE shown > 0;
CREATE INDEX file_folder_taken ON file (folder, taken_key, image, name_key) WHERE shown > 0;
CREATE INDEX file_folder_name ON file (folder, name_key, image) WHERE shown > 0;
CREATE INDEX file_folder_size ON file (folder, size, image, name_key) WHERE shown > 0;

CREATE TABLE thumbnail (
  image INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE,
  data BLOB NOT NULL
) STRICT;

CREATE TABLE encoder (
  id INTEGER PRIMARY KEY,
  -- SHA-256 of the model.
  hash TEXT NOT NULL UNIQUE,
  dimension INTEGER NOT NULL
) STRICT;

CREATE TABLE vector (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  image INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
  encoder INTEGER NOT NULL REFERENCES encoder (id) ON DELETE CASCADE,
  -- Little-endian float32, of unit length.
  data BLOB NOT NULL,
  UNIQUE (image, encoder)
) STRICT;
CREATE INDEX vector_encoder ON vector (encoder, id);

-- What a user said of two images that look alike; a < b.
CREATE TABLE decision (
  a INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
  b INTEGER NOT NULL REFERENCES image (id) ON DELETE CASCADE,
  verdict TEXT NOT NULL CHECK (verdict IN ('keep-both', 'not-duplicate')),
  made_at INTEGER NOT NULL,
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT;
CREATE INDEX decision_b ON decision (b);

CREATE TABLE job (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  spec TEXT NOT NULL,
  state TEXT NOT NULL,
  done INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  total INTEGER,
  started_at INTEGER NOT NULL,
  finished_at INTEGER,
  error TEXT,
  report TEXT
) STRICT;
`
