import type { Migration } from '../migrate.ts'
import { sql as catalog } from './0001-catalog.ts'
import { sql as journal } from './0002-journal.ts'
import { sql as disk } from './0003-disk.ts'
import { sql as care } from './0004-care.ts'

/** In order, without gaps. A migration that was released is never changed: what comes later is a new one. */
export const migrations: readonly Migration[] = [
  { version: 1, sql: catalog },
  { version: 2, sql: journal },
  { version: 3, sql: disk },
  { version: 4, sql: care },
]
