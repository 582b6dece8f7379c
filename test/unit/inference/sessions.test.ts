import { expect, test, vi } from 'vitest'
import { LucidexError } from '../../../core/contract/index.ts'
import type { ModelFile } from '../../../core/inference/index.ts'
import { ModelSessions, type Session, type SessionSettings } from '../../../core/inference/sessions.ts'

const model: ModelFile = { id: 'm', path: '/m.onnx', sha256: 'a', stride: 16, margin: 32 }
const other: ModelFile = { ...model, id: 'n', sha256: 'b' }

/** Sessions that say where they ran; those on a device fail from its `failing`th run on, or when they are made. */
function sessionsOf({ failing = Infinity, creating = true }: { failing?: number; creating?: boolean } = {}) {
  const made: SessionSettings[] = []
  const released: string[] = []
  const fallen: string[] = []
  let runs = 0
  const sessions = new ModelSessions({
    read: async () => new Uint8Array(1),
    create: async (_, settings) => {
      if (settings.device !== 'cpu' && !creating) throw new Error('no such device')
      made.push(settings)
      const run = async () => {
        if (settings.device !== 'cpu' && ++runs >= failing) throw new Error('device lost\nat somewhere')
        return { ran: settings.device }
      }
      return { run: vi.fn(run), release: async () => void released.push(settings.device) } as unknown as Session
    },
    onFallback: (reason) => fallen.push(reason),
  })
  const ran = async (options: object = { accelerated: true }, file = model) =>
    ((await sessions.run(file, {}, options)) as unknown as { ran: string }).ran
  return { sessions, made, released, fallen, ran }
}

test('a device that fails in the middle is given up for the CPU, and the failed run is done again there', async () => {
  const { sessions, made, released, fallen, ran } = sessionsOf({ failing: 3 })
  await sessions.configure({ device: 'webgpu', threads: 4 })
  expect(await Promise.all([ran(), ran(undefined, other)])).toEqual(['webgpu', 'webgpu'])
  expect(await ran()).toBe('cpu')
  expect(await ran()).toBe('cpu')
  expect(fallen).toEqual(['WEBGPU failed and the CPU went on: device lost'])
  expect(released).toEqual(['webgpu', 'webgpu'])
  expect(made.at(-1)).toEqual({ device: 'cpu', threads: 4, spin: true })
})

test('a device that cannot even begin', async () => {
  const { sessions, fallen, ran } = sessionsOf({ creating: false })
  await sessions.configure({ device: 'cuda', threads: 2 })
  expect(await ran()).toBe('cpu')
  expect(fallen).toHaveLength(1)
})

test('a model is loaded where it will run, once; also when that turns out to be the CPU', async () => {
  const { sessions, made, ran } = sessionsOf()
  await sessions.configure({ device: 'webgpu', threads: 2 })
  await sessions.load(model, { accelerated: true })
  await sessions.load(other)
  expect(made.map(({ device }) => device)).toEqual(['webgpu', 'cpu'])
  expect(await ran()).toBe('webgpu')
  expect(made).toHaveLength(2)

  const failing = sessionsOf({ creating: false })
  await failing.sessions.configure({ device: 'cuda', threads: 2 })
  await failing.sessions.load(model, { accelerated: true })
  expect(failing.made.map(({ device }) => device)).toEqual(['cpu'])
  expect(failing.fallen).toHaveLength(1)
})

test('what fails on the CPU fails; what is not accelerated never leaves it', async () => {
  const { sessions, ran } = sessionsOf({ failing: 1 })
  await sessions.configure({ device: 'webgpu', threads: 2 })
  expect(await ran({})).toBe('cpu')
  const broken = new ModelSessions({
    read: async () => {
      throw new LucidexError('MODEL_CHECKSUM', 'not the one')
    },
    create: async () => expect.unreachable(),
    onFallback: () => expect.unreachable(),
  })
  await broken.configure({ device: 'webgpu', threads: 1 })
  await expect(broken.run(model, {}, { accelerated: true })).rejects.toMatchObject({ code: 'MODEL_CHECKSUM' })
})

test('configured anew, sessions are made anew; configured the same, they are kept', async () => {
  const { sessions, made, ran } = sessionsOf()
  await sessions.configure({ device: 'cpu', threads: 2 })
  await ran()
  await sessions.configure({ device: 'cpu', threads: 2 })
  await ran()
  expect(made).toHaveLength(1)
  await sessions.configure({ device: 'cpu', threads: 1 })
  await ran()
  expect(made.map(({ threads }) => threads)).toEqual([2, 1])
})
