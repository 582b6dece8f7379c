/**
 * What tells that a file is another although its size and its time of modification are the same, and that an
 * empty folder is the place where an absent drive is mounted; the patterns of what a folder leaves out.
 * A picture's bytes are looked for by the image's size: an image outlives its file until the next start.
 */
export const sql = `
ALTER TABLE folder ADD COLUMN ignore TEXT NOT NULL DEFAULT '';
-- The file system's number when pictures were last seen there.
ALTER TABLE folder ADD COLUMN device INTEGER;
-- Microseconds since 1970 at which the file system last changed anything about the file.
ALTER TABLE file ADD COLUMN ctime INTEGER;

CREATE INDEX file_inode ON file (inode) WHERE image IS NOT NULL;
CREATE INDEX image_bytes ON image (bytes);
DROP INDEX file_content_size;
`
