import { beforeEach, describe, expect, it, vi } from 'vitest'
import { denoise } from '../../renderer/src/features/denoise/denoise.svelte.ts'
import { jobs } from '../../renderer/src/features/jobs/jobs.svelte.ts'
import { startFake } from './support.ts'

/** What was drawn, as `x,y`; jsdom has no canvas. */
const drawn = vi.hoisted(() => [] as string[])
vi.mock('../../renderer/src/features/denoise/pictureLayer.ts', () => ({
  PictureLayer: class {
    async fill() {}
    put(_image: unknown, { x, y }: { x: number; y: number }) {
      drawn.push(`${x},${y}`)
    }
  },
  loadBitmap: async () => ({ close() {} }),
}))

jobs.begin()
denoise.begin()

const tile = (sessionId: string, revision: number, x: number) => ({
  sessionId,
  revision,
  x,
  y: 0,
  width: 200,
  height: 200,
  url: '/media/tile',
})
const previews = (fake: Awaited<ReturnType<typeof startFake>>) => fake.specs.filter((spec) => spec.kind === 'denoise-preview')
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 500))

beforeEach(() => {
  drawn.length = 0
})

describe('the denoise view', () => {
  it('starts a preview by itself and draws its tiles, but none of another session or an older preview', async () => {
    const fake = await startFake({ count: 10 })
    await denoise.open({ kind: 'item', id: 3 })
    await vi.waitFor(() => expect(previews(fake)).toMatchObject([{ sessionId: 's3', sigma: 'auto', tier: 'best' }]))

    fake.emit('denoiseTile', tile('s3', 1, 0))
    fake.emit('denoiseTile', tile('s9', 1, 200))
    fake.emit('denoiseTile', tile('s3', 2, 400))
    await vi.waitFor(() => expect(drawn).toContain('400,0'))
    fake.emit('denoiseTile', tile('s3', 1, 600))
    await aWhile()
    expect(drawn).not.toContain('200,0')
    expect(drawn).not.toContain('600,0')
  })

  it('asks the engine nothing when the strength changes', async () => {
    const fake = await startFake({ count: 10 })
    await denoise.open({ kind: 'item', id: 3 })
    await vi.waitFor(() => expect(previews(fake).length).toBe(1))
    for (const strength of [80, 40, 0]) denoise.strength = strength
    await aWhile()
    expect(fake.specs.length).toBe(1)
  })

  it('cancels the running preview and starts one when the settings rest', async () => {
    const fake = await startFake({ count: 10 })
    await denoise.open({ kind: 'item', id: 3 })
    await vi.waitFor(() => expect(denoise.previewJobId).toBe(1))
    denoise.noise = 'manual'
    for (const sigma of [20, 25, 30]) {
      denoise.sigma = sigma
      denoise.restart()
    }
    await vi.waitFor(() => expect(previews(fake).length).toBe(2))
    expect(previews(fake)[1]).toMatchObject({ sigma: 30 })
    expect(fake.jobs[0]?.state).toBe('cancelled')
  })

  it('leaves a clean picture alone until a level is set by hand', async () => {
    const fake = await startFake({ count: 10, clean: true })
    await denoise.open({ kind: 'item', id: 4 })
    await aWhile()
    expect(denoise.leftAlone).toBe(true)
    expect(fake.specs).toEqual([])
    denoise.noise = 'manual'
    denoise.restart()
    await vi.waitFor(() => expect(previews(fake).length).toBe(1))
  })

  it('warns where strength takes structure along, and knows how much would keep it', async () => {
    await startFake({ count: 10 })
    await denoise.open({ kind: 'item', id: 3 })
    expect(denoise.eatsStructure).toBe(false)
    denoise.structure = { loss: 0.3, limit: 0.15, worst: null }
    expect([denoise.eatsStructure, denoise.keepingStrength]).toEqual([true, 50])
    denoise.strength = 50
    expect(denoise.eatsStructure).toBe(false)
    denoise.strength = 100
    denoise.texture = 60
    expect(denoise.eatsStructure).toBe(false)
  })

  it('takes edits back and makes them again, and computes anew only when that is needed', async () => {
    const fake = await startFake({ count: 10 })
    await denoise.open({ kind: 'item', id: 3 })
    await vi.waitFor(() => expect(previews(fake).length).toBe(1))
    denoise.strength = 40
    denoise.record()
    denoise.tier = 'fast'
    denoise.restart()
    denoise.record()
    await vi.waitFor(() => expect(previews(fake).length).toBe(2))
    denoise.undo()
    await vi.waitFor(() => expect(previews(fake).length).toBe(3))
    expect([denoise.tier, denoise.strength]).toEqual(['best', 40])
    denoise.undo()
    await aWhile()
    expect([denoise.strength, previews(fake).length]).toEqual([100, 3])
    denoise.redo()
    expect(denoise.strength).toBe(40)
    denoise.reset()
    expect(denoise.strength).toBe(100)
    denoise.undo()
    expect(denoise.strength).toBe(40)
  })

  it('exports with the settings that are seen', async () => {
    const fake = await startFake({ count: 10 })
    await denoise.open({ kind: 'item', id: 3 })
    denoise.strength = 60
    denoise.output = { ...denoise.output, format: 'tiff', bitDepth: '16' }
    const exported = denoise.export({ kind: 'beside' })
    await vi.waitFor(() => expect(fake.specs.some((spec) => spec.kind === 'denoise')).toBe(true))
    expect(fake.specs.find((spec) => spec.kind === 'denoise')).toMatchObject({
      sources: [{ kind: 'item', id: 3 }],
      settings: { tier: 'best', sigma: 'auto', strength: 60 },
      output: { format: 'tiff', bitDepth: '16' },
      destination: { kind: 'beside' },
    })
    fake.update(fake.jobs.find((job) => job.kind === 'denoise')!.id, { state: 'cancelled', finishedAt: 1 })
    await exported
    expect(denoise.exporting).toBe(false)
  })
})
