import { describe, expect, it } from 'vitest'
import type { Job } from '$contract'
import { describeJob, jobShare } from '../../renderer/src/features/jobs/jobText.ts'
import { defaultName, depthOptions } from '../../renderer/src/features/denoise/formats.ts'
import { formatBytes, formatDuration, formatExposure, plural } from '../../renderer/src/ui/format.ts'

const job: Job = {
  id: 1,
  kind: 'index',
  title: 'Index',
  state: 'running',
  done: 500,
  failed: 3,
  total: 1003,
  unit: 'files',
  rate: 52.4,
  etaMs: 9_500,
  current: null,
  startedAt: 0,
  finishedAt: null,
}

describe('jobs in words', () => {
  it('tells how far, how fast and how long', () => {
    expect(describeJob(job)).toBe('500 of 1,003, 3 failed · 52 files/s · 10 s left')
    expect(describeJob({ ...job, state: 'paused' })).toBe('Paused at 500 of 1,003')
    expect(describeJob({ ...job, state: 'done', done: 1000 })).toBe('1,000 indexed, 3 failed')
    expect(describeJob({ ...job, state: 'done', done: 0, failed: 0 })).toBe('Nothing had changed')
    expect(describeJob({ ...job, state: 'failed', error: { code: 'DISK_FULL', message: 'ENOSPC' } })).toBe('The disk is full.')
  })

  it('knows no share without a total', () => {
    expect(jobShare({ ...job, total: null })).toBeNull()
    expect(jobShare(job)).toBeCloseTo(503 / 1003)
  })
})

describe('numbers in words', () => {
  it('rounds into the right unit', () => {
    expect(formatBytes(999)).toBe('999 B')
    expect(formatBytes(999_999)).toBe('1.0 MB')
    expect(formatBytes(2_400_000)).toBe('2.4 MB')
    expect(formatDuration(89_000)).toBe('89 s')
    expect(formatDuration(4_800_000)).toBe('80 min')
    expect(formatDuration(6_000_000)).toBe('1 h 40 min')
    expect(formatExposure(1 / 125)).toBe('1/125 s')
    expect(formatExposure(2.5)).toBe('2.5 s')
    expect(plural(1, 'picture')).toBe('1 picture')
    expect(plural(1200, 'picture')).toBe('1,200 pictures')
  })
})

describe('exports', () => {
  it('names the file by its new format', () => {
    expect(defaultName('beach.jpg', 'keep')).toBe('beach_denoised.jpg')
    expect(defaultName('beach.day.jpg', 'tiff')).toBe('beach.day_denoised.tif')
    expect(defaultName('IMG_0001.CR3', 'keep')).toBe('IMG_0001_denoised.tiff')
    expect(defaultName('scan', 'png')).toBe('scan_denoised.png')
  })

  it('offers 16 bits only where they can be kept', () => {
    expect(depthOptions('jpeg').map((option) => option.value)).toEqual(['keep', '8'])
    expect(depthOptions('tiff').map((option) => option.value)).toContain('16')
  })
})
