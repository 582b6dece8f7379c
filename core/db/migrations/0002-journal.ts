/**
 * What a denoising job has done, picture by picture, so that a crash loses none of it; and the engine's
 * settings, each a JSON document under its name.
 */
export const sql = `
CREATE TABLE job_result (
  -- Grows: the order in which pictures were finished.
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
  input TEXT NOT NULL,
  -- The complete file that is about to be renamed to the result's output; null once it has that name.
  temporary TEXT,
  result TEXT NOT NULL,
  UNIQUE (job, input)
) STRICT;

CREATE TABLE setting (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
`
