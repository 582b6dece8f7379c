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
  JobReport,
  JobSpec,
  Problem,
  ItemFilter,
  LibrarySettings,
  Relation,
  Transport,
  Undoable,
} from '../../core/contract/index.ts'
import { LucidexError } from '../../core/contract/index.ts'
import { unitOf } from '../../core/jobs/store.ts'
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

const TITLES: Partial<Record<JobSpec['kind'], string>> = {
  index: 'Index 2026',
  verify: 'Verifying the library',
  'export-library': 'Exporting the library',
  'import-library': 'Importing a library',
  compact: 'Compacting the library',
}
const CAMERAS = ['Fujifilm X-T5', 'Canon EOS R6', null] as const
const YEARS = [2026, 2025, 2024, 2023] as const

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

/** Which camera took a made-up picture. */
function cameraOf(item: Item): string | null {
  return CAMERAS[item.id % CAMERAS.length]!
}

function passes(item: Item, { text, takenFrom, takenTo, camera, minPixels, maxPixels, state }: ItemFilter): boolean {
  const taken = item.takenAt ?? item.modifiedAt
  const pixels = item.width * item.height
  return (
    (!text || item.name.toLowerCase().includes(text.toLowerCase())) &&
    (takenFrom === undefined || taken >= takenFrom) &&
    (takenTo === undefined || taken < takenTo) &&
    (camera === undefined || cameraOf(item) === camera) &&
    (minPixels === undefined || pixels >= minPixels) &&
    (maxPixels === undefined || pixels <= maxPixels) &&
    (state === undefined || item.state === state)
  )
}

const narrows = (filter: ItemFilter) =>
  [filter.text, filter.takenFrom, filter.takenTo, filter.camera, filter.minPixels, filter.maxPixels, filter.state].some(
    (part) => part !== undefined && part !== '',
  )

/** The procedures, and a way to run a job to its end by hand. */
export function createFakeEngine(options: FakeOptions) {
  const listeners = new Set<(name: EventName, payload: unknown) => void>()
  const emit: Emit = (name, payload) => {
    for (const listener of listeners) listener(name, payload)
  }
  let folders: Folder[] = options.count === 0 ? [] : [folder(1, '/home/anna/Pictures/2026', options.count, options.problems?.length ?? 0)]
  const jobs: Job[] = []
  const specs: JobSpec[] = []
  const specOf = new Map<Job, JobSpec>()
  let problems = options.problems ?? []
  /** What can be undone, newest first, each with what undoing it does. */
  let undoables: (Undoable & { undo(): void })[] = []
  let settings: LibrarySettings = { concurrency: 'auto', watch: true, followAtStart: true, maxMegapixels: 268 }
  let revision = 0

  function folder(id: number, path: string, count: number, failed = 0): Folder {
    return {
      id,
      path,
      name: path.split('/').at(-1)!,
      state: 'ready',
      watching: true,
      counts: { files: count, images: count, pending: 0, failed, missing: 0 },
      ignore: '',
      addedAt: NOW,
    }
  }
  function requireJob(jobId: number): Job {
    const job = jobs.find((candidate) => candidate.id === jobId)
    if (!job) throw new LucidexError('JOB_NOT_FOUND', `There is no job ${jobId}`)
    return job
  }
  function changed(): void {
    emit('libraryChanged', { revision: ++revision })
  }
  function canUndo(kind: Undoable['kind'], folderPath: string | null, count: number, undo: () => void): number {
    const id = (undoables[0]?.id ?? 0) + 1
    undoables = [{ id, kind, folder: folderPath, count, at: NOW, undo }, ...undoables]
    changed()
    return id
  }
  /** Changes a job and tells it. */
  function update(jobId: number, change: Partial<Job>): void {
    emit('job', Object.assign(requireJob(jobId), change))
  }

  function startJob(spec: JobSpec): { jobId: number } {
    const job: Job = {
      id: jobs.length + 1,
      kind: spec.kind,
      title: TITLES[spec.kind] ?? 'Denoise',
      state: 'running',
      done: 0,
      failed: 0,
      total: null,
      unit: unitOf(spec),
      rate: null,
      etaMs: null,
      current: null,
      startedAt: NOW,
      finishedAt: null,
    }
    jobs.push(job)
    specs.push(spec)
    specOf.set(job, spec)
    emit('job', job)
    return { jobId: job.id }
  }

  function outcomeOf(spec: JobSpec): Omit<JobReport, 'job'> {
    switch (spec.kind) {
      case 'index': {
        const failed = problems.map(({ path, error }) => ({ path, code: error.code, message: error.message }))
        return { index: { scanned: 1003, indexed: 1000, unchanged: 0, moved: 0, removed: 0, failed } }
      }
      case 'verify':
        return {
          verify: {
            checked: { files: options.count, hashed: spec.thorough ? options.count : 0, images: options.count, vectors: options.count },
            repaired: [{ what: 'thumbnail-missing', count: 2 }],
            problems: [
              {
                what: 'content-changed',
                path: '/home/anna/Pictures/2026/Lisbon/IMG_00007.jpg',
                message: 'The bytes are others than when it was read, at the same size and time of change',
              },
            ],
            problemCount: 1,
            recall: 0.997,
            indexJobId: null,
          },
        }
      case 'export-library':
        return { exported: { path: spec.path, bytes: 612_000_000, folders: folders.length, files: options.count, images: options.count } }
      case 'import-library':
        return {
          imported: {
            folders: [{ from: '/Volumes/Archive', path: '/Volumes/Archive', offline: true }],
            ...{ files: 1000, knownFiles: 9000, images: 950, knownImages: 8850, vectors: 950, decisions: 12, indexJobId: null },
          },
        }
      case 'compact':
        return { compact: { before: 612_000_000, after: 600_000_000 } }
      default:
        return {}
    }
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
        changed()
        return { folder: added, jobId: null }
      },
      removeFolder({ folderId }) {
        const removed = folders.find((candidate) => candidate.id === folderId)
        if (!removed) throw new LucidexError('FOLDER_NOT_FOUND', `There is no folder ${folderId} in the library`)
        folders = folders.filter((candidate) => candidate !== removed)
        return { undoId: canUndo('remove-folder', removed.path, removed.counts.files, () => (folders = [...folders, removed])) }
      },
      tree: ({ within }) =>
        within === undefined
          ? YEARS.map((year) => ({
              within: `${year}`,
              name: `${year}`,
              counts: { files: Math.ceil(options.count / YEARS.length), pending: 0, failed: problems.length, missing: 0 },
              hasChildren: year === 2026,
            }))
          : within === '2026'
            ? ['Lisbon', 'Porto'].map((name) => ({
                within: `2026/${name}`,
                name,
                counts: { files: Math.ceil(options.count / 8), pending: 3, failed: 0, missing: 1 },
                hasChildren: false,
              }))
            : [],
      configureFolder({ folderId, ignore }) {
        const found = folders.find((candidate) => candidate.id === folderId)
        if (!found) throw new LucidexError('FOLDER_NOT_FOUND', `There is no folder ${folderId} in the library`)
        const configured = { ...found, ignore }
        folders = folders.map((candidate) => (candidate.id === folderId ? configured : candidate))
        changed()
        return configured
      },
      items({ offset, limit, ...filter }) {
        const all = narrows(filter)
          ? Array.from({ length: options.count }, (_, index) => fakeItem(index)).filter((item) => passes(item, filter))
          : null
        const total = all?.length ?? options.count
        const length = Math.max(0, Math.min(limit, total - offset))
        return { total, items: Array.from({ length }, (_, index) => all?.[offset + index] ?? fakeItem(offset + index)) }
      },
      item({ id }) {
        if (id > options.count) throw new LucidexError('ITEM_NOT_FOUND', `There is no picture ${id}`)
        return fakeDetail(id)
      },
      facets(filter) {
        const items = Array.from({ length: Math.min(options.count, 5000) }, (_, index) => fakeItem(index)).filter((item) =>
          passes(item, filter),
        )
        const years = new Map<number, number>()
        for (const { takenAt } of items) {
          const year = new Date(takenAt ?? NOW).getUTCFullYear()
          years.set(year, (years.get(year) ?? 0) + 1)
        }
        return {
          cameras: CAMERAS.map((name) => ({ name, count: items.filter((item) => cameraOf(item) === name).length })).filter(
            ({ count }) => count > 0,
          ),
          lenses: items.length > 0 ? [{ name: 'XF 23mm F1.4 R LM WR', count: items.length }] : [],
          years: [...years]
            .sort(([a], [b]) => b - a)
            .map(([year, count]) => ({ year, from: Date.UTC(year, 0), to: Date.UTC(year + 1, 0), count })),
        }
      },
      problems({ offset, limit, code, folderId, ignored }) {
        const inFolder = ignored ? [] : problems.filter((problem) => folderId === undefined || problem.folderId === folderId)
        const shown = inFolder.filter(({ error }) => code === undefined || error.code === code)
        const codes = [...new Set(inFolder.map(({ error }) => error.code))]
        return {
          total: shown.length,
          codes: codes.map((each) => ({ code: each, count: inFolder.filter(({ error }) => error.code === each).length })),
          problems: shown.slice(offset, offset + limit),
        }
      },
      retry({ fileIds }) {
        const count = fileIds?.length ?? problems.length
        return count === 0 ? { count, jobId: null } : { count, ...startJob({ kind: 'index' }) }
      },
      ignore({ fileIds }) {
        const before = problems
        problems = problems.filter(({ fileId }) => !fileIds.includes(fileId))
        const count = before.length - problems.length
        return { count, undoId: count === 0 ? null : canUndo('ignore', null, count, () => (problems = before)) }
      },
      forgetMissing: () => ({ count: 2, undoId: canUndo('forget-missing', null, 2, () => {}) }),
      undoable: () => undoables,
      undo({ id }) {
        const found = undoables.find((candidate) => candidate.id === id)
        if (!found) throw new LucidexError('ITEM_NOT_FOUND', 'This cannot be undone any more')
        undoables = undoables.filter((candidate) => candidate !== found)
        found.undo()
        changed()
        return {}
      },
      settings: () => settings,
      configure: (change) => (settings = { ...settings, ...change }),
      inspectFile: ({ path }) => ({
        path,
        bytes: 612_000_000,
        exportedAt: NOW,
        version: '0.1.0',
        images: 9800,
        sameEncoder: true,
        folders: [
          { path: '/home/anna/Pictures/2026', files: 9000, found: true },
          { path: '/Volumes/Archive', files: 1000, found: false },
        ],
      }),
      status: () => ({
        files: options.count,
        images: options.count,
        vectors: options.count,
        pending: 0,
        missing: 0,
        failed: options.problems?.length ?? 0,
        encoder: 'fake',
        index: { kind: 'hnsw', generation: 1, upToDate: true, recall: { at10: 0.997, samples: 100, checkedAt: 1_770_000_000_000 } },
        integrity: 'ok',
        bytes: 612_000_000,
      }),
      storage: () => ({
        catalog: 40_000_000,
        thumbnails: 480_000_000,
        vectors: 24_000_000,
        free: 12_000_000,
        snapshot: 60_000_000,
        backups: 8_000_000,
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
      start: startJob,
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
      report({ jobId }) {
        const job = requireJob(jobId)
        return { job, ...outcomeOf(specOf.get(job)!) }
      },
    },
    picker: {
      list: ({ path = '/home/anna', files }) => ({
        path,
        parent: path === '/' ? null : path.split('/').slice(0, -1).join('/') || '/',
        entries: [
          { name: 'Pictures', path: '/home/anna/Pictures', kind: 'folder', bytes: null },
          files === 'libraries'
            ? { name: 'studio.lucidex', path: '/home/anna/studio.lucidex', kind: 'library', bytes: 612_000_000 }
            : { name: 'beach.jpg', path: '/home/anna/beach.jpg', kind: 'picture', bytes: 3_200_000 },
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
