import { mkdir, readdir, stat, unlink } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { BESIDE_PATTERN, FOLDER_PATTERN, LucidexError, toErrorData, type DenoiseResult, type JobSpec } from '../contract/index.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import {
  exists,
  isLeftover,
  planOutput,
  readBytes,
  writeFileAtomic,
  writePicture,
  type Picture,
  type PictureFacts,
  type WriteOptions,
} from '../images/index.ts'
import type { Inference, NoiseLevel } from '../inference/index.ts'
import type { JobContext } from '../jobs/types.ts'
import { Budget } from './budget.ts'
import { denoisePicture } from './denoise.ts'
import type { NoiseEstimate } from './estimate.ts'
import { identity, recover, type ExportJournal } from './journal.ts'
import { outputExtension, outputStem } from './names.ts'
import type { DenoiseSessions } from './sessions.ts'
import { chooseSigma, isClean } from './sigma.ts'
import { expandInputs, type ExportInput, type ExportItem } from './sources.ts'
import { mixStrength } from './strength.ts'
import { measureStructureLoss, STRUCTURE_LIMIT } from './structure.ts'

export interface ExportRequest {
  inputs: readonly ExportInput[]
  spec: Extract<JobSpec, { kind: 'denoise' }>
}

export interface ExportTools {
  inference: Inference
  decoder: PictureDecoder
  /** What this job has done before is not done again; what it does now is written here at once. */
  journal: ExportJournal
  /** Spare what an open session has decoded or denoised already. */
  sessions?: DenoiseSessions
  /** For the destination `download`: a path to write to, and the URL of what was written there. */
  reserveDownload(name: string): Promise<{ path: string; url(written: string): string }>
}

/** Samples of pictures under way: one is read while one is denoised and one is written, but not three of 100 megapixels. */
const MEMORY_MAX = Math.min(2 ** 30, totalmem() / 4)

/**
 * Denoises pictures to files; the journal gets one result a picture, in order. While the network is at
 * work on one picture the next is decoded and the one before is encoded. A failure is that picture's result
 * and the rest goes on; sources are never overwritten. Throws only when the job as a whole cannot be done, and
 * when it is cancelled, which acts between two tiles; a picture whose writing has begun is finished.
 */
export async function exportPictures({ inputs, spec }: ExportRequest, tools: ExportTools, context: JobContext): Promise<void> {
  const { destination } = spec
  const { journal } = tools
  tools.inference.prepare(spec.settings.tier)
  await recover(journal)
  const items = await expandInputs(inputs, {
    recursive: spec.recursive,
    target: destination.kind === 'folder' ? destination.path : undefined,
    besidePattern: destination.kind === 'beside' || destination.kind === 'folder' ? patternOf(spec) : undefined,
  })
  if (destination.kind === 'file' && items.length > 1) {
    throw new LucidexError('BAD_REQUEST', `${items.length} pictures do not fit one file: choose a folder`, { path: destination.path })
  }
  const due = await dueItems(items, journal)
  const batch = new Batch(spec, tools, context, items)
  let [done, failed] = [items.length - due.length, 0]
  context.progress({ total: items.length, done, failed })

  let writing = Promise.resolve()
  let reading: Promise<Task> | undefined
  try {
    for (const [index, item] of due.entries()) {
      await context.checkpoint()
      context.progress({ current: item.name })
      const task = await (reading ?? batch.read(item))
      const next = due[index + 1]
      reading = next && batch.read(next)
      // Cancelled, it is looked at again below; until then its failure is nobody's.
      reading?.catch(() => undefined)
      await batch.denoise(task)
      await writing
      writing = batch.write(task).then(() => {
        journal.finish(task.result)
        if (task.result.status === 'failed') failed++
        else done++
        context.progress({ done, failed })
      })
    }
  } finally {
    // What has begun is brought to its end, so that nothing is held or half done behind the job's back.
    await writing
    await reading?.then(
      (task) => task.release(),
      () => undefined,
    )
  }
}

function patternOf({ output, destination }: ExportRequest['spec']): string {
  return output.pattern ?? (destination.kind === 'folder' ? FOLDER_PATTERN : BESIDE_PATTERN)
}

/** What the journal does not know as done: failures are tried again, and so is what is no longer there. */
async function dueItems(items: readonly ExportItem[], journal: ExportJournal): Promise<ExportItem[]> {
  const done = new Map<string, DenoiseResult>()
  for (const result of journal.results()) {
    const there = result.output === null ? result.status === 'skipped' : await exists(result.output)
    if (result.status !== 'failed' && there) done.set(result.input, result)
    else journal.forget(result.input)
  }
  return items.filter(({ path }) => !done.has(path))
}

/** Where a picture is written, and whether something there may be replaced. */
interface Output {
  path: string
  overwrite: boolean
  url?: (written: string) => string
}

/** What is to be done with a picture. */
type Treatment =
  | { kind: 'copy'; bytes: Uint8Array }
  | { kind: 'leave'; picture: Picture }
  | {
      kind: 'denoise'
      picture: Picture
      estimate: NoiseEstimate
      /** What the network is told; never 0. */
      sigma: NoiseLevel
      /** The denoised samples: this picture's own, or a preview's, which must not be written into. */
      denoised?: { samples: SharedArrayBuffer; own: boolean }
    }

/** One picture on its way through reading, denoising and writing. Each step leaves it alone once it is settled. */
interface Task {
  item: ExportItem
  result: DenoiseResult
  /** Nothing more is to be done: skipped or failed. */
  settled: boolean
  extension: string
  output?: Output
  treatment?: Treatment
  times?: WriteOptions['times']
  release(): void
}

class Batch {
  readonly #spec: ExportRequest['spec']
  readonly #tools: ExportTools
  readonly #context: JobContext
  readonly #items: readonly ExportItem[]
  readonly #budget = new Budget(MEMORY_MAX)
  readonly #date = new Date()
  /** Outputs of this run: two pictures of one name never replace each other. */
  readonly #taken = new Set<string>()
  /** Folders whose leftovers of killed processes were swept. */
  readonly #swept = new Set<string>()
  #sources: Promise<Set<string>> | undefined

  constructor(spec: ExportRequest['spec'], tools: ExportTools, context: JobContext, items: readonly ExportItem[]) {
    this.#spec = spec
    this.#tools = tools
    this.#context = context
    this.#items = items
    for (const { output } of tools.journal.results()) if (output !== null) this.#taken.add(keyOf(output))
  }

  /** Chooses the output, decodes the picture and estimates its noise. Throws only when the job is cancelled. */
  async read(item: ExportItem): Promise<Task> {
    const task: Task = {
      item,
      result: {
        input: item.path,
        output: null,
        url: null,
        width: 0,
        height: 0,
        sigmaEstimated: null,
        sigmaUsed: null,
        seconds: 0,
        status: 'done',
        notes: [],
      },
      settled: false,
      extension: '',
      release: () => {},
    }
    await this.#step(task, async () => {
      if (item.error) throw new LucidexError(item.error.code, item.error.message, { path: item.path })
      await this.#read(task)
    })
    return task
  }

  /** Denoises; nothing else waits while the network does. Throws only when the job is cancelled. */
  denoise(task: Task): Promise<void> {
    return this.#step(task, () => this.#denoise(task))
  }

  /** Mixes and writes the result and gives the picture's memory back. Never throws. */
  async write(task: Task): Promise<void> {
    await this.#step(task, () => this.#write(task))
    task.release()
  }

  async #step(task: Task, work: () => Promise<void>): Promise<void> {
    if (task.settled) return
    const started = performance.now()
    try {
      await work()
    } catch (thrown) {
      if (this.#context.signal.aborted && toErrorData(thrown).code === 'CANCELLED') {
        task.release()
        throw thrown
      }
      Object.assign(task.result, { status: 'failed', output: null, url: null, error: { path: task.item.path, ...toErrorData(thrown) } })
      task.settled = true
      task.release()
    }
    task.result.seconds += (performance.now() - started) / 1000
  }

  async #read(task: Task): Promise<void> {
    const { item, result } = task
    const { output: settings, settings: wanted, minSigma, destination } = this.#spec
    const named = await outputExtension(item, settings.format, this.#tools.decoder)
    task.extension = named.extension
    if (named.note && destination.kind !== 'file') result.notes.push(named.note)
    const output = await this.#choose(item, task.extension)
    if (output === 'skip') {
      Object.assign(result, { status: 'skipped', reason: 'exists', output: this.#wish(item, task.extension) })
      task.settled = true
      return
    }
    task.output = output

    const session = await this.#tools.sessions?.reuse(item.path)
    const facts = await this.#tools.decoder.inspect(item.path)
    Object.assign(result, { width: facts.width, height: facts.height })
    // Refuse what cannot be written before any work is done on it.
    const same = this.#sameFile(facts, output)
    const { atime, mtime } = await stat(item.path)
    if (destination.kind !== 'download') task.times = { accessed: atime, modified: mtime }
    if (wanted.strength === 0 && minSigma === 0 && same) {
      task.treatment = { kind: 'copy', bytes: await readBytes(item.path) }
      return
    }

    let picture = session?.picture
    if (!picture) {
      // Decoded samples and their copy; later, the original and the denoised ones.
      task.release = await this.#budget.take(2 * facts.width * facts.height * facts.channels * (facts.bitDepth / 8))
      this.#context.signal.throwIfAborted()
      picture = await this.#tools.decoder.readPicture(item.path)
    }
    result.notes.push(...picture.notes)
    const needed = minSigma !== 0 || wanted.strength > 0
    const estimate = needed ? (session?.estimate ?? (await this.#tools.inference.estimateNoise(picture))) : undefined
    result.sigmaEstimated = estimate?.sigma ?? null
    const estimated = estimate?.sigma ?? 0
    if (minSigma === 'auto' ? isClean(estimated) : estimated < minSigma) {
      Object.assign(result, { status: 'skipped', reason: 'little-noise' })
      this.#taken.delete(keyOf(output.path))
      task.settled = true
      task.release()
      return
    }
    const sigma = wanted.strength > 0 ? chooseSigma(wanted.sigma, estimate) : 0
    if (wanted.strength > 0) result.sigmaUsed = typeof sigma === 'number' ? sigma : estimated
    if (sigma !== 0) {
      const samples = session?.result(wanted.tier, sigma)
      task.treatment = { kind: 'denoise', picture, estimate: estimate!, sigma, ...(samples && { denoised: { samples, own: false } }) }
      return
    }
    if (result.sigmaUsed === 0 && wanted.sigma === 'auto') result.notes.push('Already clean: left as it is.')
    task.treatment = same ? { kind: 'copy', bytes: await readBytes(item.path) } : { kind: 'leave', picture }
  }

  /** Whether the output would be of the source's format and depth, so that leaving the picture as it is means copying the file. */
  #sameFile({ format, bitDepth }: PictureFacts, output: Output): boolean {
    const plan = planOutput({ format, bitDepth }, this.#spec.output, output.path)
    return plan.format === format && plan.bitDepth === bitDepth
  }

  async #denoise({ item, treatment }: Task): Promise<void> {
    if (treatment?.kind !== 'denoise' || treatment.denoised) return
    const { checkpoint, progress } = this.#context
    const { picture, sigma } = treatment
    const samples = await denoisePicture(
      this.#tools.inference,
      picture,
      { tier: this.#spec.settings.tier, sigma },
      {
        checkpoint,
        onTile: (_, done, total) => total > 4 && progress({ current: `${item.name} · ${Math.floor((done / total) * 100)} %` }),
      },
    )
    treatment.denoised = { samples, own: true }
  }

  /** The samples to be written, and what is to be said of them. */
  async #samplesOf(treatment: Exclude<Treatment, { kind: 'copy' }>, result: DenoiseResult): Promise<SharedArrayBuffer> {
    if (treatment.kind === 'leave') return treatment.picture.buffer
    const { settings } = this.#spec
    const { picture, estimate } = treatment
    const { samples, own } = treatment.denoised!
    const { loss } = await measureStructureLoss(picture, samples, estimate)
    result.structureLoss = loss * (settings.strength / 100) * (1 - settings.texture / 100)
    if (result.structureLoss > STRUCTURE_LIMIT)
      result.notes.push('Some structure went with the noise: a lower strength or noise level keeps it.')
    return mixStrength(picture, samples, settings, own ? samples : undefined)
  }

  /** Writes under another name when the chosen one was taken in the meantime and may be changed. */
  async #write(task: Task): Promise<void> {
    const { item, result, times } = task
    const treatment = task.treatment!
    const content = treatment.kind === 'copy' ? treatment.bytes : { ...treatment.picture, buffer: await this.#samplesOf(treatment, result) }
    const notes = result.notes
    for (let target = task.output!; ;) {
      try {
        await this.#prepareFolder(dirname(target.path))
        if (target.url) result.url = target.url(target.path)
        else result.output = target.path
        const options: WriteOptions = {
          overwrite: target.overwrite,
          ...(times && { times }),
          beforeRename: (temporary) => this.#tools.journal.intend(result, temporary),
        }
        if (content instanceof Uint8Array) {
          await writeFileAtomic(target.path, [content], options)
        } else {
          const written = await writePicture(content, target.path, this.#spec.output, options)
          result.notes = [...notes, ...written.notes]
        }
        return
      } catch (thrown) {
        const code = thrown instanceof LucidexError ? thrown.code : (thrown as NodeJS.ErrnoException).code
        if (code !== 'FILE_EXISTS' || this.#spec.output.collision !== 'rename') {
          throw thrown instanceof LucidexError
            ? thrown
            : new LucidexError('FILE_NOT_WRITABLE', (thrown as Error).message, { path: target.path, cause: thrown })
        }
        target = { path: await this.#freePath(this.#wish(item, task.extension)), overwrite: false }
        this.#taken.add(keyOf(target.path))
      }
    }
  }

  /** Makes the folder and takes away what a killed process has left half written there. */
  async #prepareFolder(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true })
    if (this.#swept.has(folder)) return
    this.#swept.add(folder)
    for (const name of await readdir(folder)) if (isLeftover(name)) await unlink(join(folder, name)).catch(() => undefined)
  }

  /** Where the result would go if nothing were there. */
  #wish(item: ExportItem, extension: string): string {
    const { destination, settings } = this.#spec
    if (destination.kind === 'file') return destination.path
    const name = outputStem(item, patternOf(this.#spec), settings, this.#date) + extension
    if (destination.kind === 'folder') return join(destination.path, dirname(item.relative), name)
    return destination.kind === 'beside' ? join(dirname(item.path), name) : name
  }

  /** Errors: FILE_EXISTS, when it may not be replaced or is a source. */
  async #choose(item: ExportItem, extension: string): Promise<Output | 'skip'> {
    const wish = this.#wish(item, extension)
    if (this.#spec.destination.kind === 'download') return { ...(await this.#tools.reserveDownload(wish)), overwrite: true }
    const output = await this.#chooseFile(wish)
    if (output !== 'skip') this.#taken.add(keyOf(output.path))
    return output
  }

  async #chooseFile(wish: string): Promise<Output | 'skip'> {
    if (this.#taken.has(keyOf(wish))) return { path: await this.#freePath(wish), overwrite: false }
    const there = await identity(wish)
    if (there === undefined) return { path: wish, overwrite: false }
    switch (this.#spec.output.collision) {
      case 'skip':
        return 'skip'
      case 'rename':
        return { path: await this.#freePath(wish), overwrite: false }
      case 'fail':
        throw new LucidexError('FILE_EXISTS', 'The output is there already', { path: wish })
      case 'overwrite':
        if ((await this.#sourceFiles()).has(there)) throw new LucidexError('FILE_EXISTS', 'A source is never overwritten', { path: wish })
        return { path: wish, overwrite: true }
    }
  }

  /** Every source by its identity, so that neither a link nor another spelling of its name gets past. */
  #sourceFiles(): Promise<Set<string>> {
    this.#sources ??= Promise.all(this.#items.map(({ path }) => identity(path))).then(
      (found) => new Set(found.filter((source) => source !== undefined)),
    )
    return this.#sources
  }

  /** `name-2.ext`, `name-3.ext` …: the first that is not there. */
  async #freePath(wish: string): Promise<string> {
    const extension = extname(wish)
    const stem = wish.slice(0, wish.length - extension.length)
    for (let number = 2; ; number++) {
      const path = `${stem}-${number}${extension}`
      if (!this.#taken.has(keyOf(path)) && !(await exists(path))) return path
    }
  }
}

/** One key for all names that are one name on this system. */
function keyOf(path: string): string {
  return process.platform === 'linux' ? path : path.normalize('NFC').toLowerCase()
}
