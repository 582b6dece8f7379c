import { expect, test } from 'vitest'
import { chooseSigma, isClean } from '../../../core/denoise/sigma.ts'
import type { NoiseEstimate } from '../../../core/denoise/estimate.ts'

function estimateOf(levels: number[]): NoiseEstimate {
  const sigma = new Float32Array(new SharedArrayBuffer(4 * levels.length))
  sigma.set(levels)
  return { sigma: Math.max(...levels), map: { sigma, columns: levels.length, rows: 1, cell: 16 } }
}

test('a level that was set is taken as it is, and a clean picture is left alone', () => {
  expect(chooseSigma(12, undefined)).toBe(12)
  expect(chooseSigma('auto', undefined)).toBe(0)
  expect(isClean(0.4)).toBe(true)
  expect(chooseSigma('auto', estimateOf([0.4, 0.2]))).toBe(0)
})

test('the network is told more than the estimate of weak noise, as much of strong noise, and never less of more', () => {
  const estimate = estimateOf(Array.from({ length: 60 }, (_, index) => index / 2))
  const level = chooseSigma('auto', estimate)
  if (typeof level === 'number') throw new Error('no map')
  const told = [...level.sigma]
  expect(told[8]! / 4).toBeCloseTo(1.43)
  expect(told.slice(30)).toEqual([...estimate.map.sigma].slice(30))
  expect(told).toEqual(told.toSorted((a, b) => a - b))
  expect(estimate.map.sigma[8]).toBe(4)
})

test('one estimate answers one map, so that tiles made with it are found again', () => {
  const estimate = estimateOf([5, 6])
  expect(chooseSigma('auto', estimate)).toBe(chooseSigma('auto', estimate))
})
