import path from 'node:path'
import { expect, it } from 'vitest'
import { openTestLibrary } from '../../support/library.ts'
import { longestHold, slowness } from '../../support/loopHold.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

/** The most that the event loop may be held, in milliseconds. */
const LIMIT_MS = 50

it('indexing 200 pictures, while a window reads along, never holds the loop', async () => {
  const root = await temporaryFolder()
  const pictures = path.join(root, 'pictures')
  await writePhotos(pictures, 200, { width: 320, height: 240 })
  // The stand-in encoder computes here, the real one in its own thread: here it must not count.
  const random = Float32Array.from({ length: 128 }, (_, i) => Math.sin(i) / 8)
  const opened = await openTestLibrary(path.join(root, 'library'))
  opened.inference.encode = async (inputs) => inputs.map(() => random)
  await opened.library.addFolder(pictures)
  let seen = 0
  opened.library.onChange(() => {
    seen = opened.library.items({ sort: 'added', descending: true, offset: 0, limit: 200 }).items.length
    opened.library.folders()
  })
  const longest = await longestHold(async () => expect(await opened.index()).toMatchObject({ indexed: 200 }))
  expect(seen).toBeGreaterThan(0)
  expect(longest).toBeLessThan(LIMIT_MS * slowness())
  await opened.close()
})
