import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { DenoiseResult } from '$contract'
import { batch, type Entry } from '../../renderer/src/features/batch/batch.svelte.ts'
import { outputName, patternFault } from '../../renderer/src/features/batch/names.ts'
import { jobs } from '../../renderer/src/features/jobs/jobs.svelte.ts'
import { startFake } from './support.ts'

jobs.begin()
batch.begin()

const folder = (path: string): Entry => ({ sources: [{ kind: 'path', path }], kind: 'folder', name: path, place: '/' })
const result = (input: string, status: DenoiseResult['status']): DenoiseResult => ({
  input,
  output: status === 'done' ? `${input}.png` : null,
  url: null,
  width: 100,
  height: 100,
  sigmaEstimated: 12,
  sigmaUsed: 12,
  seconds: 1,
  status,
  notes: [],
  ...(status === 'failed' && { error: { code: 'PICTURE_CORRUPT', message: 'broken' } }),
})

beforeEach(() => {
  batch.clear()
  batch.folder = null
  batch.ownPattern = null
})

describe('the batch', () => {
  it('takes nothing twice, and starts with what is set', async () => {
    const fake = await startFake({ count: 10 })
    batch.add([folder('/scans'), folder('/scans')])
    batch.add([folder('/scans'), folder('/prints')])
    expect(batch.count).toBe(2)
    batch.folder = '/results'
    batch.noisy = 'noisy'
    batch.texture = 30
    await batch.start()
    expect(fake.specs).toMatchObject([
      {
        kind: 'denoise',
        sources: [
          { kind: 'path', path: '/scans' },
          { kind: 'path', path: '/prints' },
        ],
        recursive: true,
        settings: { sigma: 'auto', strength: 100, texture: 30 },
        output: { pattern: '{name}', collision: 'rename' },
        destination: { kind: 'folder', path: '/results' },
        minSigma: 'auto',
      },
    ])
    batch.noisy = 'all'
    batch.texture = 0
  })

  it('asks where the results of dropped pictures go: they have no place on the disk', () => {
    batch.add([{ sources: [{ kind: 'query', id: 'q1' }], kind: 'picture', name: 'a.png', place: '' }])
    expect(batch.fault).toContain('choose a folder')
    batch.folder = '/results'
    expect(batch.fault).toBeNull()
  })

  it('follows its job page by page, and tries the failed again by skipping what is there', async () => {
    const finished = Array.from({ length: 1500 }, (_, index) => result(`/scans/${index}.png`, index === 7 ? 'failed' : 'done'))
    const fake = await startFake({ count: 10, results: finished })
    batch.add([folder('/scans')])
    await batch.start()
    fake.update(batch.jobId!, { done: 1499, failed: 1, total: 1500, state: 'done', finishedAt: 1 })
    await vi.waitFor(() => expect(batch.results.map((done) => done.input)).toEqual(finished.map((done) => done.input)))
    expect(batch.canRetry).toBe(true)
    // The tray lets go of what is done; the report stays until a new batch begins.
    fake.emit('jobDismissed', { jobId: batch.jobId! })
    await vi.waitFor(() => expect(jobs.find(batch.jobId)).toBeUndefined())
    expect([batch.job?.state, batch.results.length]).toEqual(['done', 1500])
    await batch.retry()
    expect(fake.specs.at(-1)).toMatchObject({ sources: [{ kind: 'path', path: '/scans' }], output: { collision: 'skip' } })
  })

  it('begins anew when something is added after the end', async () => {
    const fake = await startFake({ count: 10 })
    batch.add([folder('/scans')])
    await batch.start()
    fake.update(batch.jobId!, { state: 'done', finishedAt: 1 })
    await vi.waitFor(() => expect(batch.job?.state).toBe('done'))
    batch.add([folder('/prints')])
    expect([batch.jobId, batch.entries.map((entry) => entry.name)]).toEqual([null, ['/prints']])
  })
})

describe('names of results', () => {
  const facts = { source: 'IMG_7.jpg', folder: 'Lisbon', tier: 'best', strength: 80, format: 'keep', date: new Date(2026, 10, 1) } as const

  it('come from the pattern and the format', () => {
    expect(outputName('{name}_denoised', facts)).toBe('IMG_7_denoised.jpg')
    expect(outputName('{folder} {date} {name} {tier}-{strength}', { ...facts, format: 'tiff' })).toBe('Lisbon 2026-11-01 IMG_7 best-80.tif')
  })

  it('are refused where the engine would refuse them', () => {
    expect(patternFault('{name}_denoised')).toBeNull()
    for (const pattern of [' ', 'a/b', String.raw`a\b`, '{nam}']) expect(patternFault(pattern)).not.toBeNull()
  })
})
