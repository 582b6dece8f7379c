/**
 * An engine in memory for the interface's tests and for looking at it with many thousand pictures:
 * the contract's procedures over made-up items, parsed as the real engine parses them. No files, no models.
 */
import { decode, encode } from '@msgpack/msgpack'
import type {
  DenoiseResult,
  EngineHandlers,
  EventName,
  EventPayload,
  Folder,
  InferenceState,
  Item,
  ItemDetail,
  Job,
  JobSpec,
  Problem,
  Relation,
  Transport,
} from '../../core/contract/index.ts'
import { LucidexError } from '../../core/contract/index.ts'
import { createCall } from '../../core/rpc/dispatch.ts'
import { serve } from '../../core/rpc/serve.ts'

export interface FakeOptions {
  /** How many pictures the library holds. */
  count: number
  problems?: Problem[]
  clean?: boolean
  /** What every denoising job answers with. */
  results?: DenoiseResult[]
}

const fakeInferenceState: InferenceState = {
  settings: { device: 'auto', threads: 'auto' },
  device: 'cpu',
  threads: 8,
  devices: ['cpu'],
  cores: 8,
  chosen: null,
  fellBack: null,
}

export type Emit = <E extends EventName>(name: E, payload: EventPayload<E>) => void

const NOW = Date.UTC(2026, 10, 21, 9)
const SIZES = [
  [6000, 4000],
  [4032, 3024],
  [3024, 4032],
  [1920, 1080],
  [2048, 2048],
] as const

export function fakeItem(index: number): Item {
  const [width, height] = SIZES[index % SIZES.length]!
  return {
    id: index + 1,
    name: `IMG_${String(index + 1).padStart(5, '0')}.jpg`,
    width,
    height,
    bytes: 2_400_000 + ((index * 7919) % 5_000_000),
    state: index % 97 === 13 ? 'missing' : 'indexed',
    takenAt: NOW - index * 3_600_000,
    modifiedAt: NOW - index * 3_600_000,
    copies: index % 41 === 7 ? 2 : 1,
    url: `/media/thumbnail/${index + 1}/fake`,
  }
}

function fakeDetail(id: number): ItemDetail {
  const item = fakeItem(id - 1)
  return {
    ...item,
    format: 'jpeg',
    bitDepth: 8,
    hasAlpha: false,
    profile: 'Display P3',
    contentHash: 'fake',
    sigma: 7.4,
    metadata: {
      takenAt: item.takenAt,
      camera: 'Fujifilm X-T5',
      lens: 'XF 23mm F1.4 R LM WR',
      iso: 3200,
      exposure: 1 / 125,
      aperture: 2,
      focalLength: 23,
      latitude: null,
      longitude: null,
    },
    files: [
      {
        id,
        path: `/home/anna/Pictures/2026/Lisbon/${item.name}`,
        folderId: 1,
        state: item.state,
        bytes: item.bytes,
        modifiedAt: item.modifiedAt,
      },
    ],
    pictureUrl: `/media/picture/${id}/fake`,
  }
}

/** The procedures, and a way to run a job to its end by hand. */
export function createFakeEngine(options: FakeOptions) {
  const listeners = new Set<(name: EventName, payload: unknown) => void>()
  const emit: Emit = (name, payload) => {
    for (const listener of listeners) listener(name, payload)
  }
  let folders: Folder[] = options.count === 0 ? [] : [folder(1, '/home/anna/Pictures/2026', options.count, options.problems?.length ?? 0)]
  const jobs: Job[] = []
  const specs: JobSpec[] = []

  function folder(id: number, path: string, count: number, failed = 0): Folder {
    return {
      id,
      path,
      name: path.split('/').at(-1)!,
      state: 'ready',
      watching: true,
      counts: { files: count, images: count, pending: 0, failed, missing: 0 },
      addedAt: NOW,
    }
  }
  function requireJob(jobId: number): Job {
    const job = jobs.find((candidate) => candidate.id === jobId)
    if (!job) throw new LucidexError('JOB_NOT_FOUND', `There is no job ${jobId}`)
    return job
  }
  /** Changes a job and tells it. */
  function update(jobId: number, change: Partial<Job>): void {
    emit('job', Object.assign(requireJob(jobId), change))
  }

  const handlers: EngineHandlers = {
    app: {
      info: () => ({
        version: '0.1.0',
        host: 'browser',
        platform: 'linux',
        libraryDir: '/home/anna/.local/share/lucidex',
        readOnly: false,
        threads: 8,
        models: [
          { id: 'denoise-fast', kind: 'denoiser', tier: 'fast', bytes: 1_900_000, sha256: 'a', licence: 'MIT', state: 'unloaded' },
          { id: 'denoise-best', kind: 'denoiser', tier: 'best', bytes: 9_400_000, sha256: 'b', licence: 'MIT', state: 'ready' },
          { id: 'encoder', kind: 'encoder', tier: null, bytes: 4_800_000, sha256: 'c', licence: 'MIT', state: 'ready' },
        ],
        extensions: ['.jpg', '.png'],
      }),
    },
    library: {
      folders: () => folders,
      addFolder({ path }) {
        const added = folder(folders.length + 1, path, 0)
        folders = [...folders, added]
        emit('libraryChanged', { revision: folders.length })
        return { folder: added, jobId: null }
      },
      removeFolder({ folderId }) {
        folders = folders.filter((candidate) => candidate.id !== folderId)
        emit('libraryChanged', { revision: folders.length })
        return {}
      },
      restoreFolder({ folderId }) {
        const back = folder(folderId, '/home/anna/Pictures/2026', options.count)
        folders = [...folders, back]
        emit('libraryChanged', { revision: folders.length })
        return back
      },
      items({ offset, limit, text }) {
        const all = text
          ? Array.from({ length: options.count }, (_, index) => fakeItem(index)).filter((item) => item.name.includes(text))
          : null
        const total = all?.length ?? options.count
        const length = Math.max(0, Math.min(limit, total - offset))
        return { total, items: Array.from({ length }, (_, index) => all?.[offset + index] ?? fakeItem(offset + index)) }
      },
      item({ id }) {
        if (id > options.count) throw new LucidexError('ITEM_NOT_FOUND', `There is no picture ${id}`)
        return fakeDetail(id)
      },
      problems: ({ offset, limit }) => ({
        total: options.problems?.length ?? 0,
        problems: (options.problems ?? []).slice(offset, offset + limit),
      }),
      status: () => ({
        files: options.count,
        images: options.count,
        vectors: options.count,
        pending: 0,
        missing: 0,
        failed: options.problems?.length ?? 0,
        encoder: 'fake',
        index: { kind: 'hnsw', generation: 1, upToDate: true },
        integrity: 'ok',
        bytes: 612_000_000,
      }),
    },
    search: {
      upload: ({ name }) => ({ id: 'q1', name, width: 1600, height: 1200, url: '/media/query/q1' }),
      open: ({ path }) => ({ id: 'q1', name: path.split('/').at(-1)!, width: 1600, height: 1200, url: '/media/query/q1' }),
      reconstruction: ({ id }) => ({ url: `/media/reconstruction/${id}/fake/fake`, error: 31.6 }),
      find({ source, k, region }) {
        const start = source.kind === 'item' ? source.id : region ? 40 : 3
        const relations: Relation[] = [
          'copy',
          'copy',
          'near-duplicate',
          'near-duplicate',
          'near-duplicate',
          'similar',
          'similar',
          'similar',
          'similar',
        ]
        const length = Math.min(k, options.count, 24)
        return {
          method: 'hnsw',
          milliseconds: 3.2,
          searched: options.count,
          results: Array.from({ length }, (_, index) => {
            const item = fakeItem((start + index * 37) % options.count)
            const relation = index === 0 && source.kind === 'query' && !region ? 'same-file' : (relations[index] ?? 'unrelated')
            return { item, path: `/home/anna/Pictures/2026/${item.name}`, score: 0.99 - index * 0.03, relation }
          }),
        }
      },
    },
    denoise: {
      open({ source }) {
        const id = source.kind === 'item' ? source.id : 1
        const name = source.kind === 'path' ? source.path.split('/').at(-1)! : fakeItem(id - 1).name
        return {
          id: `s${id}`,
          name,
          width: 1200,
          height: 800,
          format: 'jpeg',
          bitDepth: 8,
          hasAlpha: false,
          profile: 'sRGB',
          sigma: options.clean ? 0.4 : 14.2,
          clean: options.clean ?? false,
          originalUrl: `/media/original/s${id}`,
        }
      },
      close: () => ({}),
      structure: () => ({ loss: 0.04, limit: 0.15, worst: null }),
    },
    inference: {
      state: () => fakeInferenceState,
      configure: (change) => ({ ...fakeInferenceState, settings: { ...fakeInferenceState.settings, ...change } }),
    },
    jobs: {
      results: ({ offset, limit }) => ({
        total: options.results?.length ?? 0,
        results: (options.results ?? []).slice(offset, offset + limit),
      }),
      start(spec) {
        const job: Job = {
          id: jobs.length + 1,
          kind: spec.kind,
          title: spec.kind === 'index' ? 'Index 2026' : 'Denoise',
          state: 'running',
          done: 0,
          failed: 0,
          total: null,
          unit: spec.kind === 'denoise-preview' ? 'tiles' : 'files',
          rate: null,
          etaMs: null,
          current: null,
          startedAt: NOW,
          finishedAt: null,
        }
        jobs.push(job)
        specs.push(spec)
        emit('job', job)
        return { jobId: job.id }
      },
      list: () => jobs,
      pause({ jobId }) {
        update(jobId, { state: 'paused' })
        return {}
      },
      resume({ jobId }) {
        update(jobId, { state: 'running' })
        return {}
      },
      cancel({ jobId }) {
        update(jobId, { state: 'cancelled', finishedAt: NOW })
        return {}
      },
      dismiss({ jobId }) {
        if (jobId === undefined) return {}
        jobs.splice(jobs.indexOf(requireJob(jobId)), 1)
        emit('jobDismissed', { jobId })
        return {}
      },
      report: ({ jobId }) => ({
        job: requireJob(jobId),
        index: {
          scanned: 1003,
          indexed: 1000,
          unchanged: 0,
          moved: 0,
          removed: 0,
          failed: (options.problems ?? []).map(({ path, error }) => ({ path, code: error.code, message: error.message })),
        },
      }),
    },
    picker: {
      list: ({ path = '/home/anna' }) => ({
        path,
        parent: path === '/' ? null : path.split('/').slice(0, -1).join('/') || '/',
        entries: [
          { name: 'Pictures', path: '/home/anna/Pictures', kind: 'folder', bytes: null },
          { name: 'beach.jpg', path: '/home/anna/beach.jpg', kind: 'picture', bytes: 3_200_000 },
        ],
        pictures: 1,
        places: [{ name: 'Home', path: '/home/anna' }],
      }),
    },
  }

  const engine = {
    call: createCall(handlers),
    onAny(listener: (name: EventName, payload: unknown) => void) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
  return { engine, handlers, specs, jobs, emit, update }
}

/** Two ends of a channel in memory; messages pass through MessagePack, as over the loopback host's WebSocket. */
export function pairOfTransports(): [Transport, Transport] {
  const closers: (() => void)[] = []
  const receivers: [((message: unknown) => void)[], ((message: unknown) => void)[]] = [[], []]
  const end = (own: 0 | 1): Transport => ({
    post(message) {
      const copy = decode(encode(message, { ignoreUndefined: true }))
      queueMicrotask(() => receivers[own === 0 ? 1 : 0].forEach((receive) => receive(copy)))
    },
    onMessage: (listener) => void receivers[own].push(listener),
    onClose: (listener) => void closers.push(listener),
    close: () => closers.forEach((closer) => closer()),
  })
  return [end(0), end(1)]
}

/** Serves a fake engine; the transport is for `connectEngine`. */
export function serveFake(fake: ReturnType<typeof createFakeEngine>): Transport {
  const [near, far] = pairOfTransports()
  serve(fake.engine as Parameters<typeof serve>[0], far)
  return near
}
