import { describe, expect, it } from 'vitest'
import { createApi, type EngineHandlers } from '../../../core/contract/index.ts'
import { createCall } from '../../../core/rpc/dispatch.ts'

const seen: unknown[] = []
const call = createCall({
  library: {
    items: (query: unknown) => {
      seen.push(query)
      return { total: 0, items: [] }
    },
    status: () => ({ files: -1 }),
  },
} as unknown as EngineHandlers)

describe('createCall', () => {
  it('fills defaults in before the handler sees the argument', async () => {
    await call('library.items', {})
    expect(seen.at(-1)).toEqual({ sort: 'added', descending: true, offset: 0, limit: 200 })
  })

  it('refuses a bad argument and names the field', async () => {
    await expect(call('library.items', { limit: 9999 })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('limit'),
    })
  })

  it('does not let a wrong answer out', async () => {
    await expect(call('library.status', {})).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('files') })
  })

  it.each(['__proto__.items', 'library.constructor', 'library.__proto__', 'library', 'library.items.call', '', 'constructor.name'])(
    'knows no procedure %j',
    async (name) => {
      await expect(call(name, {})).rejects.toMatchObject({ code: 'UNKNOWN_PROCEDURE' })
    },
  )

  it('has a typed face', async () => {
    await expect(createApi(call).library.items({ text: 'boat' })).resolves.toEqual({ total: 0, items: [] })
    expect(seen.at(-1)).toMatchObject({ text: 'boat' })
  })
})
