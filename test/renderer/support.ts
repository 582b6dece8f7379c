import { vi } from 'vitest'
import { engine } from '../../renderer/src/engine/engine.svelte.ts'
import { createFakeEngine, serveFake, type FakeOptions } from '../support/fakeEngine.ts'

/** jsdom lays nothing out and so has no observer of sizes. */
vi.stubGlobal(
  'ResizeObserver',
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
)

/** Connects the window's engine to a fake one. */
export async function startFake(options: FakeOptions) {
  const fake = createFakeEngine(options)
  engine.start({ connect: (offer) => offer(serveFake(fake)) })
  await vi.waitFor(() => {
    if (engine.state !== 'ready') throw new Error('not connected')
  })
  return fake
}
