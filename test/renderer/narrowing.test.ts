import { describe, expect, it } from 'vitest'
import { chipsOf, dayOf, narrow, startOf } from '../../renderer/src/features/library/narrowing.ts'

const year = (value: number) => ({ takenFrom: new Date(value, 0).getTime(), takenTo: new Date(value + 1, 0).getTime() })
const texts = (...given: Parameters<typeof chipsOf>) => chipsOf(...given).map(({ text }) => text)

describe('filters in words', () => {
  it('names each condition', () => {
    expect(texts({ camera: 'X-T5', lens: null, ...year(2024), minPixels: 8_000_000, state: 'missing' })).toEqual([
      'X-T5',
      'No lens named',
      '2024',
      'At least 8 MP',
      'Missing',
    ])
    expect(texts({ camera: null })).toEqual(['No camera named'])
    expect(texts({ minPixels: 1_500_000, maxPixels: 12_000_000 })).toEqual(['1.5 – 12 MP'])
    expect(texts({ maxPixels: 12_000_000 })).toEqual(['At most 12 MP'])
    expect(texts({})).toEqual([])
  })

  it('names days as they were chosen, the last one included', () => {
    const takenFrom = startOf('2024-03-01')
    const takenTo = startOf('2024-03-31', 1)
    expect(texts({ takenFrom, takenTo })).toEqual(['1 Mar 2024 – 31 Mar 2024'])
    expect(texts({ takenFrom })).toEqual(['Since 1 Mar 2024'])
    expect(texts({ takenTo })).toEqual(['Until 31 Mar 2024'])
    expect(texts({ takenFrom, takenTo: startOf('2024-03-01', 1) })).toEqual(['1 Mar 2024'])
  })

  it('takes one condition away, with both of its ends', () => {
    const chips = chipsOf({ camera: null, ...year(2024), state: 'missing' })
    expect(chips.find(({ text }) => text === '2024')!.without).toEqual({ camera: null, state: 'missing' })
    expect(chips[0]!.without).toEqual({ ...year(2024), state: 'missing' })
  })

  it('holds no condition that says nothing', () => {
    expect(narrow({ camera: 'X-T5', state: 'missing' }, { camera: undefined, minPixels: 5 })).toEqual({ state: 'missing', minPixels: 5 })
    expect(narrow({ camera: 'X-T5' }, { camera: null })).toEqual({ camera: null })
  })
})

describe('days', () => {
  it('come back as they were typed, also where clocks are changed', () => {
    for (const text of ['2024-01-01', '2024-02-29', '2024-03-31', '2024-10-27', '0987-06-05']) expect(dayOf(startOf(text))).toBe(text)
    expect(dayOf(startOf('2024-03-31', 1)! - 1)).toBe('2024-03-31')
  })

  it('are none where none is typed', () => {
    expect([startOf(''), startOf('2024-'), dayOf(undefined)]).toEqual([undefined, undefined, ''])
  })
})
