import { spawn } from 'node:child_process'
import { chmod, chown, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { openDatabase } from '../../../core/db/index.ts'
import type { IndexReport } from '../../../core/library/index.ts'
import { silent } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

/** `nobody`, who is refused where root would not be. */
const NOBODY = 65534

/** Indexes a folder in a process of an ordinary user. */
async function indexAsUser(library: string, pictures: string): Promise<IndexReport> {
  const program = `
    import { openDatabase } from ${JSON.stringify(path.resolve('core/db/index.ts'))}
    import { openLibrary } from ${JSON.stringify(path.resolve('core/library/index.ts'))}
    import { readForIndex } from ${JSON.stringify(path.resolve('core/images/index.ts'))}
    const log = { info() {}, warn() {}, error() {} }
    const [, libraryDir, pictures] = process.argv
    const database = openDatabase(libraryDir, { readOnly: false, log })
    const inference = { encoderHash: () => null }
    const library = await openLibrary({ database, readOnly: false, watch: false, inference, readForIndex, log })
    const { folder } = await library.addFolder(pictures)
    const job = { jobId: 1, signal: new AbortController().signal, checkpoint: async () => {}, progress() {} }
    const report = await library.index({ folderId: folder.id }, job)
    await library.close()
    database.close()
    process.stdout.write(JSON.stringify(report))`
  const asUser = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {}
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, library, pictures], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...asUser,
  })
  let [output, errors] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => (output += chunk))
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk))
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`the process ended with ${String(code)}: ${errors}`)
  return JSON.parse(output) as IndexReport
}

function imagesOf(library: string, file: string): unknown {
  const { db, close } = openDatabase(library, { readOnly: true, log: silent })
  const count = db.prepare('SELECT COUNT(*) FROM file JOIN image ON image.id = file.image WHERE path = ?').pluck().get(file)
  close()
  return count
}

it.skipIf(process.platform === 'win32')('files and folders without permission are reported by name, and the rest is indexed', async () => {
  const root = await temporaryFolder()
  const pictures = path.join(root, 'pictures')
  const library = path.join(root, 'library')
  const [first] = await writePhotos(pictures, 3, { width: 64, height: 48 })
  const closed = path.join(pictures, 'closed')
  await writePhotos(closed, 2, { width: 64, height: 48, seed: 2 })
  await mkdir(library)
  if (process.getuid?.() === 0) await chown(library, NOBODY, NOBODY)
  await chmod(root, 0o755)
  await chmod(first!, 0o000)
  await chmod(closed, 0o000)
  try {
    const report = await indexAsUser(library, pictures)
    expect(report).toMatchObject({ scanned: 3, indexed: 2 })
    expect(report.failed.map(({ path: file, code }) => ({ file, code }))).toEqual([
      { file: closed, code: 'FOLDER_NOT_READABLE' },
      { file: first, code: 'FILE_NOT_READABLE' },
    ])
    // Permission given: no byte of them has changed, and yet they are tried again.
    await chmod(first!, 0o644)
    await chmod(closed, 0o755)
    expect(await indexAsUser(library, pictures)).toMatchObject({ scanned: 5, indexed: 3, unchanged: 2, failed: [] })
    // Taken away again: nothing is known against what was read, which stays, also over a restart.
    await chmod(first!, 0o000)
    for (let start = 0; start < 2; start++) {
      expect(await indexAsUser(library, pictures)).toMatchObject({ unchanged: 4, failed: [{ path: first, code: 'FILE_NOT_READABLE' }] })
    }
    expect(imagesOf(library, first!)).toBe(1)
    await chmod(first!, 0o644)
    expect(await indexAsUser(library, pictures)).toMatchObject({ indexed: 1, unchanged: 4, failed: [] })
  } finally {
    await chmod(closed, 0o755)
  }
})
