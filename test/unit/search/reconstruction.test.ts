import sharp from 'sharp'
import { expect, it } from 'vitest'
import type { ItemDetail } from '../../../core/contract/index.ts'
import { reconstruct, Reconstructions, squashed } from '../../../core/search/reconstruction.ts'

const SIDE = 8
const grey = (level: number) => new Uint8Array(112 * 112 * 3).fill(level)

/** A decoder that paints the descriptor's first number; `asked` counts. */
function painter() {
  const inference = {
    asked: 0,
    encoderHash: () => 'encoder-1-and-more-of-its-hash',
    async decode(descriptors: Float32Array[]) {
      inference.asked += descriptors.length
      return descriptors.map(([level]) => ({ data: new Uint8Array(SIDE * SIDE * 3).fill(level!), side: SIDE }))
    },
  }
  return inference
}

it('the error is the root mean square difference in levels', async () => {
  const { picture, error } = await reconstruct(Float32Array.of(90), grey(100), painter())
  expect(picture.side).toBe(SIDE)
  expect(error).toBeCloseTo(10)
  const half = grey(100).map((value, at) => ((at / 3) % 112 < 56 ? value : 130))
  const halved = await reconstruct(Float32Array.of(100), half, painter())
  expect(halved.error).toBeGreaterThan(19)
  expect(halved.error).toBeLessThan(23)
  expect(await squashed(grey(7), 4)).toHaveLength(4 * 4 * 3)
})

it('is made once for a picture, and tried again after a failure', async () => {
  const thumbnail = await sharp({ create: { width: 40, height: 30, channels: 3, background: '#646464' } })
    .webp({ lossless: true })
    .toBuffer()
  let descriptor: Float32Array | undefined
  const library = {
    item: (id: number) => ({ contentHash: `hash-of-${id}-and-more-of-it` }) as ItemDetail,
    descriptorOf: () => descriptor,
    thumbnail: () => thumbnail,
  }
  const inference = painter()
  const reconstructions = new Reconstructions({ library, inference })
  await expect(reconstructions.of(1)).rejects.toMatchObject({ code: 'ITEM_NOT_FOUND' })
  descriptor = Float32Array.of(110)
  const [first, again] = await Promise.all([reconstructions.of(1), reconstructions.of(1)])
  expect(first).toEqual(again)
  expect(first.error).toBeCloseTo(10)
  expect((await reconstructions.of(2)).url).not.toBe(first.url)
  expect(inference.asked).toBe(2)
  // The oldest are let go: the first is made again after many others.
  for (let id = 3; id < 80; id++) await reconstructions.of(id)
  await reconstructions.of(1)
  expect(inference.asked).toBe(80)
})
