import { describe, expect, it, vi } from 'vitest'
import type { Transport } from '$contract'
import { EngineConnection } from '../../renderer/src/engine/engine.svelte.ts'
import { createFakeEngine, serveFake } from '../support/fakeEngine.ts'

function connect() {
  const engine = new EngineConnection()
  let offer!: (transport: Transport) => void
  engine.start({ connect: (offered) => (offer = offered) })
  return { engine, offer: (transport: Transport) => offer(transport) }
}

describe('EngineConnection', () => {
  it('refuses calls until there is an engine', () => {
    const { engine } = connect()
    expect(engine.state).toBe('connecting')
    expect(() => engine.api).toThrowError(/not running/)
  })

  it('outlives an engine: listeners and views carry on with the next', async () => {
    const { engine, offer } = connect()
    const heard: number[] = []
    const ready = vi.fn()
    engine.on('libraryChanged', ({ revision }) => heard.push(revision))
    engine.onReady(ready)

    const first = createFakeEngine({ count: 3 })
    const transport = serveFake(first)
    offer(transport)
    await vi.waitFor(() => expect(engine.state).toBe('ready'))
    first.emit('libraryChanged', { revision: 1 })
    await vi.waitFor(() => expect(heard).toEqual([1]))

    transport.close()
    expect(engine.state).toBe('lost')
    await expect(engine.api.library.folders()).rejects.toMatchObject({ code: 'DISCONNECTED' })

    const second = createFakeEngine({ count: 4 })
    offer(serveFake(second))
    await vi.waitFor(() => expect(engine.state).toBe('ready'))
    expect(ready).toHaveBeenCalledTimes(2)
    second.emit('libraryChanged', { revision: 2 })
    await vi.waitFor(() => expect(heard).toEqual([1, 2]))
    expect((await engine.api.library.status()).images).toBe(4)
  })
})
