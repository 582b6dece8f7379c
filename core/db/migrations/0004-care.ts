/**
 * What caring for a library needs: the folder that a file lies in, for the folder tree; failed files that are
 * listed no more; and what was taken out, kept for a while so that it can be put back.
 */
export const sql = `
-- The path without the name and the separator before it.
ALTER TABLE file ADD COLUMN directory TEXT GENERATED ALWAYS AS (substr(path, 1, length(path) - length(name) - 1)) VIRTUAL;
-- The removal by which a failed file was ignored, also when that cannot be undone any more; 0: it is listed.
ALTER TABLE file ADD COLUMN ignored INTEGER NOT NULL DEFAULT 0;
CREATE INDEX file_directory ON file (folder, directory, state, ignored);

CREATE TABLE removal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('remove-folder', 'forget-missing', 'ignore')),
  -- Null for the whole library.
  folder INTEGER REFERENCES folder (id) ON DELETE CASCADE,
  -- How many files it took.
  count INTEGER NOT NULL,
  made_at INTEGER NOT NULL
) STRICT;
CREATE INDEX removal_folder ON removal (folder) WHERE folder IS NOT NULL;

-- Rows of files that were forgotten. Their images are kept as long as they are.
CREATE TABLE forgotten (
  id INTEGER PRIMARY KEY,
  removal INTEGER NOT NULL REFERENCES removal (id) ON DELETE CASCADE,
  folder INTEGER NOT NULL REFERENCES folder (id) ON DELETE CASCADE,
  path TEXT NOT NULL,
  name TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime INTEGER NOT NULL,
  inode INTEGER,
  image INTEGER REFERENCES image (id)
) STRICT;
CREATE INDEX forgotten_removal ON forgotten (removal, id);
CREATE INDEX forgotten_folder ON forgotten (folder);
CREATE INDEX forgotten_image ON forgotten (image) WHERE image IS NOT NULL;
`
