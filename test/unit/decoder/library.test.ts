import { copyFile, mkdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createDecoder } from '../../../core/decoder/index.ts'
import { spawnNodeDecoder } from '../../../core/decoder/node.ts'
import { silentLog } from '../../../core/hosts/node.ts'
import { openTestLibrary } from '../../support/library.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'

const folder = await temporaryFolder()
const decoder = createDecoder({
  spawn: () => spawnNodeDecoder(new URL('./badDecoder.ts', import.meta.url)),
  log: silentLog,
  limits: { decodeMs: 3_000, readMs: 20_000, memoryBytes: 320 * 2 ** 20 },
  indexers: 2,
})
afterAll(() => decoder.close())

test('files that bring the decoder down are named once, and tried again when they have changed', async () => {
  const pictures = join(folder, 'pictures')
  const [photo] = await writePhotos(join(folder, 'photo'), 1, { seed: 9 })
  await writePhotos(pictures, 5)
  await mkdir(join(folder, 'library'))
  const bad = ['abort.jpg', 'eat.jpg', 'hang.jpg'].map((name) => join(pictures, name))
  for (const file of bad) await copyFile(photo!, file)
  const { library, decoded, index, close } = await openTestLibrary(join(folder, 'library'), { readForIndex: decoder.readForIndex })
  const codes = (report: Awaited<ReturnType<typeof index>>) => report.failed.map(({ path, code }) => [path, code]).sort()
  const wanted = [
    [bad[0], 'DECODER_CRASHED'],
    [bad[1], 'PICTURE_TOO_LARGE'],
    [bad[2], 'DECODE_TIMEOUT'],
  ]

  await library.addFolder(pictures)
  const first = await index()
  expect(first).toMatchObject({ scanned: 8, indexed: 5 })
  expect(codes(first)).toEqual(wanted)

  decoded.length = 0
  const second = await index()
  expect(decoded).toEqual([])
  expect(codes(second)).toEqual(wanted)

  await utimes(bad[0]!, new Date(), new Date(Date.now() - 60_000))
  expect(codes(await index())).toEqual(wanted)
  expect(decoded).toEqual([bad[0]])
  await close()
})
