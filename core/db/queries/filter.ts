import path from 'node:path'
import type { Database } from 'better-sqlite3'
import type { ItemFilter } from '../../contract/index.ts'
import { nameKey } from './files.ts'

/** A condition over `file f` and, where `joinsImage`, `image i`. */
export interface FilterSql {
  from: string
  where: string
  values: (string | number)[]
}

/** Paths that lie below a directory, however deep, as the bounds of `path > after AND path < before`. */
export function below(directory: string): { after: string; before: string } {
  // "0" is the character after "/", "]" the one after "\".
  return { after: directory + path.sep, before: directory + String.fromCharCode(path.sep.charCodeAt(0) + 1) }
}

/** A folder of the library, or one inside it, as the column `directory` spells it: without a separator at its end. */
export function directoryOf(folderPath: string, within: string | undefined): string {
  const full = within === undefined ? folderPath : path.join(folderPath, ...within.split('/'))
  return full.endsWith(path.sep) ? full.slice(0, -1) : full
}

export type FilterQueries = ReturnType<typeof filterQueries>

/** Which files the grid shows, as SQL: what is not filtered by reads only columns that the indexes of `shown` hold. */
export function filterQueries(db: Database) {
  const hiddenFolders = db.prepare<[], number>(`SELECT id FROM folder WHERE removed_at IS NOT NULL`).pluck()
  const folderPath = db.prepare<[number], string>(`SELECT path FROM folder WHERE id = ?`).pluck()

  return {
    /** `scansDirectory`: whether to look up what lies `within` by its own index, best where it is little, or while walking in order. */
    of(filter: ItemFilter, scansDirectory = true): FilterSql {
      const where: string[] = []
      const values: (string | number)[] = []
      const add = (sql: string, ...more: (string | number)[]) => {
        where.push(sql)
        values.push(...more)
      }
      if (filter.folderId === undefined) add('f.shown = 2')
      else add('f.shown > 0 AND f.folder = ?', filter.folderId)
      // Folders taken out are few, and their rows are left as they are so that taking out and putting back is instant.
      const hidden = hiddenFolders.all()
      if (hidden.length > 0) add(`f.folder NOT IN (${hidden.join(', ')})`)

      if (filter.folderId !== undefined && filter.within !== undefined) {
        const directory = directoryOf(folderPath.get(filter.folderId) ?? '', filter.within)
        const { after, before } = below(directory)
        const column = scansDirectory ? 'f.directory' : '+f.directory'
        // One range for the index; between a directory and what lies in it come its namesakes ("2024" < "2024-05" < "2024/05").
        add(`${column} >= ? AND ${column} < ? AND (+f.directory = ? OR +f.directory > ?)`, directory, before, directory, after)
      }
      if (filter.text) add('instr(f.name_key, ?) > 0', nameKey(filter.text))
      if (filter.takenFrom !== undefined) add('f.taken_key >= ?', filter.takenFrom)
      if (filter.takenTo !== undefined) add('f.taken_key < ?', filter.takenTo)
      if (filter.state !== undefined) add('f.state = ?', filter.state)

      const ownWhere = where.length
      for (const column of ['camera', 'lens'] as const) {
        const name = filter[column]
        if (name === null) add(`i.${column} IS NULL`)
        else if (name !== undefined) add(`i.${column} = ?`, name)
      }
      if (filter.minPixels !== undefined) add('i.width * i.height >= ?', filter.minPixels)
      if (filter.maxPixels !== undefined) add('i.width * i.height <= ?', filter.maxPixels)
      // CROSS: the files come first, in the order of their index.
      const from = where.length > ownWhere ? 'file f CROSS JOIN image i ON i.id = f.image' : 'file f'
      return { from, where: where.join(' AND '), values }
    },
  }
}
