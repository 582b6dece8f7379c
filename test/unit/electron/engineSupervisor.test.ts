import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { UtilityRequest } from '../../../core/hosts/utility.ts'
import type { DecoderProcess } from '../../../electron/policy/engineDecoders.ts'
import { EngineSupervisor, STOP_GRACE_MS, type EngineChildListeners } from '../../../electron/policy/engineSupervisor.ts'

const config = { libraryDir: '/library', modelsDir: '/models', version: '1', host: 'electron' } as const

/** Ports are strings here: `ours 1` belongs to `theirs 1`. */
function supervised() {
  const children: { listeners: EngineChildListeners; posted: [UtilityRequest['type'], string[]][]; killed: boolean }[] = []
  const crashes: { reason: string; restarted: boolean }[] = []
  const failures: string[] = []
  const mediaPorts: (string | null)[] = []
  const decoders: { connected: string[]; killed: boolean; exit(reason: string): void }[] = []
  let channels = 0
  let time = 0
  const supervisor = new EngineSupervisor<string>({
    spawn(listeners) {
      const child = { listeners, posted: [] as [UtilityRequest['type'], string[]][], killed: false }
      children.push(child)
      return { post: ({ type }, ports = []) => void child.posted.push([type, ports]), kill: () => void (child.killed = true) }
    },
    spawnDecoder(exit): DecoderProcess<string> {
      const decoder = { connected: [] as string[], killed: false, exit }
      decoders.push(decoder)
      return { connect: (port) => void decoder.connected.push(port), kill: () => void (decoder.killed = true) }
    },
    channel: () => [`ours ${++channels}`, `theirs ${channels}`],
    now: () => time,
    onMediaPort: (port) => void mediaPorts.push(port),
    onCrash: (crash) => void crashes.push(crash),
    onFailed: ({ code }) => void failures.push(code),
  })
  const last = () => children.at(-1)!
  return { supervisor, children, crashes, failures, mediaPorts, decoders, last, wait: (milliseconds: number) => (time += milliseconds) }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('EngineSupervisor', () => {
  it('starts the engine with its configuration first, then the media port', () => {
    const { supervisor, last, mediaPorts } = supervised()
    supervisor.start(config)
    expect(last().posted).toEqual([
      ['start', []],
      ['media', ['theirs 1']],
    ])
    expect(mediaPorts).toEqual(['ours 1'])
  })

  it('gives a window a port when it is ready and again after a reload', () => {
    const { supervisor, last } = supervised()
    supervisor.start(config)
    const got: string[] = []
    expect(supervisor.addWindow(7, (port) => void got.push(port))).toBe(true)
    expect(supervisor.addWindow(7, (port) => void got.push(port))).toBe(false)
    expect(got).toEqual(['ours 2', 'ours 3'])
    expect(last().posted.slice(2)).toEqual([
      ['client', ['theirs 2']],
      ['client', ['theirs 3']],
    ])
  })

  it('connects every open window to the engine started after a crash, and no closed one', () => {
    const { supervisor, children, crashes, mediaPorts } = supervised()
    supervisor.start(config)
    const [stays, goes] = [vi.fn(), vi.fn()]
    supervisor.addWindow(1, stays)
    supervisor.addWindow(2, goes)
    supervisor.removeWindow(2)
    children[0]!.listeners.onExit('segfault')
    expect(children).toHaveLength(2)
    expect(crashes).toEqual([{ reason: 'segfault', restarted: true }])
    expect(stays).toHaveBeenCalledTimes(2)
    expect(goes).toHaveBeenCalledTimes(1)
    expect(children[1]!.posted.map(([type]) => type)).toEqual(['start', 'media', 'client'])
    expect(mediaPorts).toEqual(['ours 1', null, expect.stringMatching(/^ours /)])
  })

  it('gives up after three restarts in a minute until it is forgiven', () => {
    const { supervisor, children, crashes, last } = supervised()
    supervisor.start(config)
    for (let i = 0; i < 4; i++) last().listeners.onExit('again')
    expect(children).toHaveLength(4)
    expect(crashes.map(({ restarted }) => restarted)).toEqual([true, true, true, false])
    supervisor.forgive()
    supervisor.start(config)
    last().listeners.onExit('again')
    expect(children).toHaveLength(6)
  })

  it('forgets crashes older than a minute', () => {
    const { supervisor, crashes, last, wait } = supervised()
    supervisor.start(config)
    for (let i = 0; i < 6; i++) {
      wait(21_000)
      last().listeners.onExit('now and then')
    }
    expect(crashes.every(({ restarted }) => restarted)).toBe(true)
  })

  it('does not retry a library that cannot be opened, but starts again when asked', () => {
    const { supervisor, children, crashes, failures, last } = supervised()
    supervisor.start(config)
    last().listeners.onReport({ type: 'failed', error: { code: 'LIBRARY_IN_USE', message: 'busy' } })
    last().listeners.onExit('exit code 1')
    expect(failures).toEqual(['LIBRARY_IN_USE'])
    expect(crashes).toEqual([])
    expect(children).toHaveLength(1)
    supervisor.start({ ...config, readOnly: true })
    expect(children).toHaveLength(2)
  })

  it('waits for the engine to close its library', async () => {
    const { supervisor, children, crashes, last } = supervised()
    supervisor.start(config)
    const stopped = supervisor.stop()
    expect(last().posted.at(-1)).toEqual(['shutdown', []])
    last().listeners.onExit('exit code 0')
    await stopped
    expect(last().killed).toBe(false)
    expect(crashes).toEqual([])
    supervisor.start(config)
    expect(children).toHaveLength(1)
  })

  it('kills an engine that does not end in time, and stops once however often it is asked', async () => {
    const { supervisor, last } = supervised()
    supervisor.start(config)
    const stops = Promise.all([supervisor.stop(), supervisor.stop()])
    await vi.advanceTimersByTimeAsync(STOP_GRACE_MS - 1)
    expect(last().killed).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(last().killed).toBe(true)
    last().listeners.onExit('killed')
    await stops
    expect(last().posted.filter(([type]) => type === 'shutdown')).toHaveLength(1)
  })

  it('starts decoders for its engine, tells it when they are gone, and ends them with it', () => {
    const { supervisor, children, decoders, last } = supervised()
    supervisor.start(config)
    const { onReport } = last().listeners
    for (const id of [1, 2, 3]) onReport({ type: 'spawn-decoder', id })
    expect(decoders.map(({ connected }) => connected)).toEqual([['ours 2'], ['ours 3'], ['ours 4']])
    expect(last().posted.slice(2)).toEqual([
      ['decoder', ['theirs 2']],
      ['decoder', ['theirs 3']],
      ['decoder', ['theirs 4']],
    ])
    decoders[0]!.exit('segfault')
    expect(last().posted.at(-1)).toEqual(['decoder-exit', []])
    onReport({ type: 'kill-decoder', id: 2 })
    onReport({ type: 'kill-decoder', id: 1 })
    expect(decoders.map(({ killed }) => killed)).toEqual([false, true, false])
    last().listeners.onExit('segfault')
    expect(decoders.map(({ killed }) => killed)).toEqual([false, true, true])
    const posted = children[0]!.posted.length
    decoders[2]!.exit('killed')
    expect(children[0]!.posted).toHaveLength(posted)
    expect(children).toHaveLength(2)
  })

  it('ends at once without an engine', async () => {
    await expect(supervised().supervisor.stop()).resolves.toBeUndefined()
  })
})
