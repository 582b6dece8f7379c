import type { Migration } from '../../../core/db/migrate.ts'
import { migrations } from '../../../core/db/migrations/index.ts'

const next = migrations.length + 1

/** All migrations and two of tomorrow, which write every picture's rows anew. */
export const tomorrow: readonly Migration[] = [
  ...migrations,
  {
    version: next,
    sql: `CREATE TABLE thumbnail_new (image INTEGER PRIMARY KEY REFERENCES image (id) ON DELETE CASCADE, data BLOB NOT NULL) STRICT;
          INSERT INTO thumbnail_new SELECT image, data FROM thumbnail;
          DROP TABLE thumbnail;
          ALTER TABLE thumbnail_new RENAME TO thumbnail;`,
  },
  {
    version: next + 1,
    sql: `ALTER TABLE image ADD COLUMN stars INTEGER; UPDATE image SET stars = 0; CREATE INDEX image_stars ON image (stars);`,
  },
]
