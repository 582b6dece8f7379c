import { stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import {
  createApi,
  LucidexError,
  type EngineApi,
  type EngineHandlers,
  type EventListener,
  type EventName,
  type EventPayload,
  type JobSpec,
  type Source,
} from './contract/index.ts'
import { openDatabase, Upkeep, type Repair } from './db/index.ts'
import { createDecoder, decodeHere } from './decoder/index.ts'
import { settingQueries } from './db/queries/settings.ts'
import { DenoiseSessions, exportPictures, measureDenoisers, type ExportInput } from './denoise/index.ts'
import type { EngineConfig, EngineDeps } from './deps.ts'
import { READABLE_EXTENSIONS } from './images/index.ts'
import { createInference, InferenceChoice, ModelRegistry, readCalibration, type Inference } from './inference/index.ts'
import { JobQueue } from './jobs/queue.ts'
import { JobStore } from './jobs/store.ts'
import { openLibrary, type Library } from './library/index.ts'
import { listForPicker } from './library/picker.ts'
import { createMedia, Downloads, type MediaResponse } from './media.ts'
import { createCall } from './rpc/dispatch.ts'
import { findByPicture } from './search/byPicture.ts'
import { QueryStore } from './search/queries.ts'
import { Reconstructions } from './search/reconstruction.ts'

/** The whole of Lucidex but its windows: a plain Node library that a host gives a transport. */
export interface Engine {
  /** A procedure by its wire name, its argument and result parsed. */
  call(name: string, argument: unknown): Promise<unknown>
  /** The same, typed, for use in process. */
  api: EngineApi
  on<E extends EventName>(event: E, listener: EventListener<E>): () => void
  onAny(listener: (name: EventName, payload: unknown) => void): () => void
  /** The body of a media path (contract/media.ts); 404 when there is none. Never throws. */
  media(path: string): Promise<MediaResponse>
  readonly inference: Inference
  readonly library: Library
  /** Stops work at its next checkpoint, writes what is due and lets go of the library. */
  close(): Promise<void>
}

/** Opens a library and the models beside it. Errors: LIBRARY_IN_USE, LIBRARY_FROM_FUTURE, LIBRARY_CORRUPT, MODEL_INVALID. */
export async function createEngine(config: EngineConfig, deps: EngineDeps): Promise<Engine> {
  const { log } = deps
  const threads = config.threads ?? Math.min(8, availableParallelism())
  const readOnly = config.readOnly ?? false
  const watch = config.watch ?? true
  const now = deps.now ?? Date.now
  const closing: (() => void | Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of closing.splice(0).reverse()) await close()
  }

  const listeners = new Set<(name: EventName, payload: unknown) => void>()
  const emit = <E extends EventName>(name: E, payload: EventPayload<E>) => {
    for (const listener of listeners) listener(name, payload)
  }
  /** What there was to say before anyone listened. */
  const untold: EventPayload<'notice'>[] = []

  try {
    const registry = await ModelRegistry.open(config.modelsDir)
    // A measurement tries devices that may not be there: its rows say so.
    let measuring = false
    const onFallback = (message: string) => {
      if (!measuring) emit('notice', { level: 'warning', message })
    }
    const calibration = await readCalibration(config.modelsDir)
    const inference = createInference({ registry, spawnWorker: deps.spawnInferenceWorker, threads, calibration, log, onFallback })
    closing.push(() => inference.close())

    const decoder = deps.spawnDecoder ? createDecoder({ spawn: deps.spawnDecoder, log }) : decodeHere
    closing.push(() => decoder.close())

    const database = openDatabase(config.libraryDir, { readOnly, log, now })
    closing.push(() => database.close())
    if (database.repair) untold.push(repairNotice(database.repair))
    database.onDamage((failure) => {
      const message = `${failure.message}. It is repaired when Lucidex is started again.`
      emit('notice', { level: 'error', message, error: failure.toData() })
    })
    if (!readOnly) {
      const upkeep = new Upkeep(database, { log, now })
      closing.push(() => upkeep.close())
    }
    const cores = availableParallelism()
    const choice = new InferenceChoice({ inference, store: readOnly ? null : settingQueries(database.db), threads, cores })
    const library = await openLibrary({ database, readOnly, watch, inference, readForIndex: decoder.readForIndex, log, now })
    closing.push(() => library.close())

    const reconstructions = new Reconstructions({ library, inference })
    const queries = new QueryStore(decoder)
    closing.push(() => queries.close())
    const downloads = new Downloads()
    closing.push(() => downloads.close())
    const sessions = new DenoiseSessions(inference, decoder)

    const jobs = new JobQueue({
      store: readOnly ? null : new JobStore(database.db),
      title,
      announce: (job) => emit('job', job),
      announceDismissed: (jobId) => emit('jobDismissed', { jobId }),
      onUnsaved: (thrown) => log.warn(`A job's state was not stored: ${(database.failure(thrown) as Error).message}`),
      now,
      runners: {
        index: async (spec, context) => ({ index: await library.index(spec, context) }),
        verify: async (spec, context) => {
          const { report, stale } = await library.care.verify(spec, context)
          return { verify: { ...report, indexJobId: stale ? startIndexing() : null } }
        },
        'export-library': async (spec, context) => ({ exported: await library.care.export(spec, config.version, context) }),
        'import-library': async (spec, context) => {
          const report = await library.care.import(spec, context)
          return { imported: { ...report, indexJobId: startIndexing() } }
        },
        compact: async (_spec, context) => ({ compact: await library.care.compact(context) }),
        'denoise-preview': async (spec, context) => {
          await sessions.preview(spec, context, (tile) => emit('denoiseTile', tile))
          return {}
        },
        'denoise-confidence': async (spec, context) => {
          await sessions.confidence(spec, context, (part) => emit('denoiseConfidence', part))
          return {}
        },
        measure: async ({ source, sigma }, context) => {
          measuring = true
          try {
            const options = { sigma, version: config.version, cores, ...(source && { picture: locate(source) }) }
            const { measurement, fastest } = await measureDenoisers({ inference, decoder }, options, context)
            if (fastest) choice.choose({ ...fastest, measuredAt: measurement.measuredAt })
            return { measure: measurement }
          } finally {
            choice.restore()
            measuring = false
          }
        },
        denoise: async (spec, context) => {
          const { journal } = context
          const reserveDownload = (name: string) => downloads.reserve(name)
          await exportPictures(
            { inputs: spec.sources.map(locate), spec },
            { inference, decoder, sessions, journal, reserveDownload },
            context,
          )
          return {}
        },
      },
    })
    closing.push(() => jobs.close())

    function title(spec: JobSpec): string {
      switch (spec.kind) {
        case 'index':
          return spec.folderId === undefined ? 'Indexing the library' : `Indexing ${folderName(spec.folderId)}`
        case 'verify':
          return 'Verifying the library'
        case 'export-library':
          return `Exporting the library to ${path.basename(spec.path)}`
        case 'import-library':
          return `Importing ${path.basename(spec.path)}`
        case 'compact':
          return 'Compacting the library'
        case 'denoise-preview':
          return `Denoising ${sessions.get(spec.sessionId).name}`
        case 'denoise-confidence':
          return `Confidence of ${sessions.get(spec.sessionId).name}`
        case 'measure':
          return 'Measuring the denoisers'
        case 'denoise': {
          const [first, ...others] = spec.sources
          return first && others.length === 0 ? `Denoising ${locate(first).name}` : `Denoising ${spec.sources.length} pictures`
        }
      }
    }

    function folderName(folderId: number): string {
      const folder = library.folders().find(({ id }) => id === folderId)
      if (!folder) throw new LucidexError('FOLDER_NOT_FOUND', `There is no folder ${folderId} in the library`)
      return folder.name
    }

    /** The file that a source names. Errors: ITEM_NOT_FOUND, FILE_NOT_FOUND, QUERY_NOT_FOUND. */
    function locate(source: Source): ExportInput {
      if (source.kind === 'query') {
        const { query, path: file } = queries.get(source.id)
        return { path: file, name: query.name }
      }
      const file = source.kind === 'item' ? library.pathOf(source.id) : path.resolve(source.path)
      return { path: file, name: path.basename(file) }
    }

    /** Writing needs the library's lock; a second process only reads. */
    const writable = () => {
      if (readOnly) throw new LucidexError('LIBRARY_IN_USE', 'Another Lucidex has this library open for writing')
    }

    /** "One index job a folder": what waits already will see the change too, and the newest report is the true one. */
    function startIndexing(folderId?: number): number {
      const waiting = jobs.waiting((spec) => spec.kind === 'index' && (spec.folderId === undefined || spec.folderId === folderId))
      if (waiting) return waiting.id
      jobs.dismissWhere((spec) => spec.kind === 'index' && (folderId === undefined || spec.folderId === folderId))
      return jobs.start({ kind: 'index', folderId })
    }

    let revision = 0
    library.onChange(() => emit('libraryChanged', { revision: ++revision }))
    if (!readOnly) {
      library.onStale((folderId) => void startIndexing(folderId))
      // "What changed since last time": indexing recomputes what is pending, so it also takes up what was cut short.
      jobs.dismissWhere((spec) => spec.kind === 'index')
      if (watch && library.care.settings().followAtStart) for (const folder of library.folders()) startIndexing(folder.id)
    }

    const handlers: EngineHandlers = {
      app: {
        info: () => ({
          version: config.version,
          host: config.host,
          platform: process.platform,
          libraryDir: config.libraryDir,
          readOnly,
          threads: inference.threads,
          models: inference.models(),
          extensions: [...READABLE_EXTENSIONS],
        }),
      },
      library: {
        folders: () => library.folders(),
        addFolder: async (request) => {
          writable()
          const { folder } = await library.addFolder(request.path)
          return { jobId: startIndexing(folder.id), folder }
        },
        removeFolder: ({ folderId }) => {
          writable()
          jobs.cancelWhere((spec) => spec.kind === 'index' && spec.folderId === folderId)
          return { undoId: library.removeFolder(folderId) }
        },
        configureFolder: ({ folderId, ignore }) => {
          writable()
          const folder = library.configureFolder(folderId, ignore)
          startIndexing(folderId)
          return folder
        },
        items: (request) => library.items(request),
        item: ({ id }) => library.item(id),
        problems: (query) => library.care.problems(query),
        tree: (request) => library.care.tree(request),
        facets: (filter) => library.care.facets(filter),
        retry: ({ fileIds }) => {
          const count = library.care.retry(fileIds)
          return { count, jobId: count === 0 ? null : startIndexing() }
        },
        ignore: ({ fileIds }) => library.care.ignore(fileIds),
        forgetMissing: ({ folderId }) => library.care.forgetMissing(folderId),
        undoable: () => library.care.undoable(),
        undo: async ({ id }) => {
          const folder = await library.care.undo(id)
          if (folder) startIndexing(folder.id)
          return {}
        },
        settings: () => library.care.settings(),
        configure: (change) => {
          const { settings, retried } = library.care.configure(change)
          if (retried > 0) startIndexing()
          return settings
        },
        inspectFile: (request) => library.care.inspect(request.path),
        status: () => library.status(),
        storage: () => library.care.storage(),
      },
      search: {
        upload: ({ name, bytes }) => queries.upload(name, bytes),
        open: (request) => queries.open(request.path),
        find: (request) => findByPicture(request, { library, inference, decoder, locate }),
        reconstruction: async ({ id }) => {
          const { url, error } = await reconstructions.of(id)
          return { url, error }
        },
      },
      denoise: {
        open: ({ source }) => sessions.open(locate(source)),
        close: ({ sessionId }) => {
          sessions.close(sessionId)
          return {}
        },
        structure: ({ sessionId }) => sessions.structure(sessionId),
      },
      inference: {
        state: () => choice.state(),
        configure: (change) => choice.configure(change),
      },
      jobs: {
        start: async (spec) => {
          if (spec.kind === 'index') {
            writable()
            return { jobId: startIndexing(spec.folderId) }
          }
          if (spec.kind === 'verify' || spec.kind === 'import-library' || spec.kind === 'compact') writable()
          if (spec.kind === 'denoise') await checkDestination(spec)
          return { jobId: jobs.start(spec) }
        },
        list: () => jobs.list(),
        pause: ({ jobId }) => (jobs.pause(jobId), {}),
        resume: ({ jobId }) => (jobs.resume(jobId), {}),
        cancel: ({ jobId }) => (jobs.cancel(jobId), {}),
        dismiss: ({ jobId }) => (jobs.dismiss(jobId), {}),
        report: ({ jobId }) => jobs.report(jobId),
        results: ({ jobId, offset, limit }) => jobs.results(jobId, offset, limit),
      },
      picker: {
        list: (request) => listForPicker(request.path, READABLE_EXTENSIONS, request.files),
      },
    }

    const answer = createCall(handlers)
    const call: typeof answer = (name, argument) =>
      answer(name, argument).catch((thrown: unknown) => {
        throw database.failure(thrown)
      })
    const media = createMedia({ library, decoder, queries, reconstructions, sessions, downloads })
    return {
      call,
      api: createApi(call),
      on: (event, listener) => subscribe((name, payload) => name === event && listener(payload as never)),
      onAny: subscribe,
      media,
      inference,
      library,
      close: closeAll,
    }
  } catch (error) {
    await closeAll()
    throw error
  }

  function subscribe(listener: (name: EventName, payload: unknown) => void): () => void {
    listeners.add(listener)
    for (const notice of untold.splice(0)) setImmediate(() => listener('notice', notice))
    return () => void listeners.delete(listener)
  }
}

/** What a person should know of a repair. */
function repairNotice({ damage, setAside, kept, backup }: Repair): EventPayload<'notice'> {
  const from = backup === null ? 'There was no backup.' : `What it lacked is from the backup of ${new Date(backup).toLocaleString()}.`
  const rest = kept.length > 0 ? 'Most of it was still whole.' : 'Nothing of it could be read.'
  const aside = setAside === null ? '' : ` The damaged file is kept as ${setAside}.`
  const message = `The library was damaged and has been repaired. ${rest} ${from} Pictures whose entries were lost are indexed again.${aside}`
  return { level: 'warning', message, error: { code: 'LIBRARY_CORRUPT', message: damage } }
}

/** A folder to export into must be there before hours of work are spent. */
async function checkDestination(spec: Extract<JobSpec, { kind: 'denoise' }>): Promise<void> {
  if (spec.destination.kind !== 'file') return
  const folder = path.dirname(path.resolve(spec.destination.path))
  const info = await stat(folder).catch(() => null)
  if (!info?.isDirectory()) throw new LucidexError('FOLDER_NOT_FOUND', `${folder} is not a folder`, { path: folder })
}
