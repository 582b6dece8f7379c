import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'

/** Shared pictures that are not part of the project: tests use them when they are there. */
const DATA = process.env.LUCIDEX_DATA ?? path.resolve(import.meta.dirname, '../../../shared/data')

/** A folder of the shared data, or undefined, said loudly, when it is absent. */
export function sharedData(folder: string): string | undefined {
  const found = path.join(DATA, folder)
  // The library names files by their real paths.
  if (existsSync(found)) return realpathSync(found)
  console.warn(`SKIPPED for want of ${found}: set LUCIDEX_DATA to the shared pictures to run these tests`)
  return undefined
}
