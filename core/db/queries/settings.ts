import type { Database } from 'better-sqlite3'

export type SettingQueries = ReturnType<typeof settingQueries>

/** Small documents by name. */
export function settingQueries(db: Database) {
  const get = db.prepare<[string], string>(`SELECT value FROM setting WHERE name = ?`).pluck()
  const set = db.prepare<[string, string]>(`INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)`)
  return {
    /** Undefined where it was never set. */
    get: (name: string): unknown => {
      const text = get.get(name)
      return text === undefined ? undefined : JSON.parse(text)
    },
    set: (name: string, value: unknown): void => void set.run(name, JSON.stringify(value)),
  }
}
