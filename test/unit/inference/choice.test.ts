import { expect, test } from 'vitest'
import { InferenceChoice, type Inference, type Placement } from '../../../core/inference/index.ts'

function inferenceOf() {
  let placement: Placement & { fellBack: string | null } = { device: 'cpu', threads: 4, fellBack: null }
  const configured: Placement[] = []
  const inference = {
    placement: () => placement,
    configure(wanted: Placement) {
      configured.push(wanted)
      placement = { ...wanted, fellBack: null }
    },
    devices: async () => ['cpu', 'webgpu'],
  } as unknown as Inference
  return { inference, configured, fail: () => (placement = { ...placement, device: 'cpu', fellBack: 'lost' }) }
}

function storeOf() {
  const values = new Map<string, string>()
  return {
    get: (name: string): unknown => (values.has(name) ? JSON.parse(values.get(name)!) : undefined),
    set: (name: string, value: unknown) => void values.set(name, JSON.stringify(value)),
  }
}

const fastest = { device: 'webgpu', threads: 2, secondsPerMegapixel: 0.1, measuredAt: 1 } as const

test('auto is the CPU until it was measured, then what was fastest, also at the next start', async () => {
  const store = storeOf()
  const first = inferenceOf()
  const choice = new InferenceChoice({ inference: first.inference, store, threads: 4, cores: 8 })
  expect(await choice.state()).toEqual({
    settings: { device: 'auto', threads: 'auto' },
    device: 'cpu',
    threads: 4,
    devices: ['cpu', 'webgpu'],
    cores: 8,
    chosen: null,
    fellBack: null,
  })
  choice.choose(fastest)
  expect(first.configured).toEqual([{ device: 'webgpu', threads: 2 }])
  const second = inferenceOf()
  await new InferenceChoice({ inference: second.inference, store, threads: 4, cores: 8 }).state()
  expect(second.configured).toEqual([{ device: 'webgpu', threads: 2 }])
})

test('what is set goes before what was measured; an absent device is refused', async () => {
  const { inference, configured } = inferenceOf()
  const choice = new InferenceChoice({ inference, store: null, threads: 4, cores: 8 })
  choice.choose(fastest)
  expect(await choice.configure({ device: 'cpu' })).toMatchObject({
    device: 'cpu',
    threads: 2,
    settings: { device: 'cpu', threads: 'auto' },
  })
  expect(await choice.configure({ threads: 3 })).toMatchObject({ device: 'cpu', threads: 3 })
  await expect(choice.configure({ device: 'cuda' })).rejects.toMatchObject({ code: 'NOT_SUPPORTED_HERE' })
  expect(configured.at(-1)).toEqual({ device: 'cpu', threads: 3 })
})

test('a device that was given up is tried again when it is chosen again', async () => {
  const { inference, configured, fail } = inferenceOf()
  const choice = new InferenceChoice({ inference, store: null, threads: 4, cores: 8 })
  await choice.configure({ device: 'webgpu' })
  fail()
  expect(await choice.state()).toMatchObject({ device: 'cpu', fellBack: 'lost' })
  expect(await choice.configure({ device: 'webgpu' })).toMatchObject({ device: 'webgpu', fellBack: null })
  expect(configured).toHaveLength(2)
})

test('a stored choice that is not one is forgotten', async () => {
  const store = { get: () => ({ settings: { device: 'abacus', threads: 0 } }), set: () => {} }
  const choice = new InferenceChoice({ inference: inferenceOf().inference, store, threads: 4, cores: 8 })
  expect((await choice.state()).settings).toEqual({ device: 'auto', threads: 'auto' })
})
