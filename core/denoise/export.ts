import { mkdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { LucidexError, toErrorData, type DenoiseResult, type JobSpec, type OutputSettings } from '../contract/index.ts'
import {
  exists,
  extensionOf,
  formatOfExtension,
  isWritable,
  openPicture,
  planOutput,
  readBytes,
  readPicture,
  writeFileAtomic,
  writePicture,
} from '../images/index.ts'
import type { Inference } from '../inference/index.ts'
import type { JobContext } from '../jobs/types.ts'
import { denoisePicture } from './denoise.ts'
import type { DenoiseSessions } from './sessions.ts'
import { chooseSigma } from './sigma.ts'
import { BESIDE_SUFFIX, expandInputs, type ExportInput, type ExportItem } from './sources.ts'
import { mixStrength } from './strength.ts'

export interface ExportRequest {
  inputs: readonly ExportInput[]
  spec: Extract<JobSpec, { kind: 'denoise' }>
  /** Results of an interrupted run of the same job: what was done then is not done again. */
  before?: readonly DenoiseResult[]
}

export interface ExportTools {
  inference: Inference
  /** Spare what an open session has decoded or denoised already. */
  sessions?: DenoiseSessions
  /** For the destination `download`: a path to write to, and the URL of what was written there. */
  reserveDownload(name: string): Promise<{ path: string; url(written: string): string }>
}

/**
 * Denoises pictures to files, one after the other; answers one result a picture, in order. A failure is
 * that picture's result and the rest goes on; sources are never overwritten. When the job is cancelled the
 * results so far are answered.
 */
export async function exportPictures(
  { inputs, spec, before = [] }: ExportRequest,
  tools: ExportTools,
  context: JobContext,
): Promise<DenoiseResult[]> {
  const { destination } = spec
  const items = await expandInputs(inputs, {
    recursive: spec.recursive,
    except: destination.kind === 'folder' ? destination.path : undefined,
    skipResults: destination.kind === 'beside',
  })
  if (destination.kind === 'file' && items.length > 1) {
    throw new LucidexError('BAD_REQUEST', `${items.length} pictures do not fit one file: choose a folder`, { path: destination.path })
  }
  const earlier = new Map(before.filter(({ status }) => status !== 'failed').map((result) => [result.input, result]))
  const batch = new Batch(spec, tools, context, items)
  const results: DenoiseResult[] = []
  const count = (wanted: (status: DenoiseResult['status']) => boolean) => results.filter(({ status }) => wanted(status)).length
  for (const item of items) {
    try {
      await context.checkpoint()
      context.progress({ total: items.length, current: item.name })
      const known = earlier.get(item.path)
      results.push(known && (known.output === null || (await exists(known.output))) ? known : await batch.run(item))
    } catch (thrown) {
      if (context.signal.aborted) return results
      throw thrown
    }
    context.progress({ done: count((status) => status !== 'failed'), failed: count((status) => status === 'failed') })
  }
  return results
}

/** Where a picture is written, and whether something there may be replaced. */
interface Output {
  path: string
  overwrite: boolean
  url?: (written: string) => string
}

class Batch {
  readonly #spec: ExportRequest['spec']
  readonly #tools: ExportTools
  readonly #context: JobContext
  readonly #items: readonly ExportItem[]
  /** Outputs of this run: two pictures of one name never replace each other. */
  readonly #written = new Set<string>()
  #sources: Set<string> | undefined

  constructor(spec: ExportRequest['spec'], tools: ExportTools, context: JobContext, items: readonly ExportItem[]) {
    this.#spec = spec
    this.#tools = tools
    this.#context = context
    this.#items = items
  }

  /** Throws only when the job is cancelled. */
  async run(item: ExportItem): Promise<DenoiseResult> {
    const started = performance.now()
    const result: DenoiseResult = {
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
    }
    try {
      if (item.error) throw new LucidexError(item.error.code, item.error.message, { path: item.path })
      await this.#export(item, result)
    } catch (thrown) {
      if (this.#context.signal.aborted) throw thrown
      result.status = 'failed'
      result.error = { path: item.path, ...toErrorData(thrown) }
    }
    result.seconds = (performance.now() - started) / 1000
    return result
  }

  async #export(item: ExportItem, result: DenoiseResult): Promise<void> {
    const { output: settings, settings: wanted } = this.#spec
    const named = await outputName(item, settings.format)
    if (named.note && this.#spec.destination.kind !== 'file') result.notes.push(named.note)
    const output = await this.#choose(item, named.extension)
    if (output === 'skip') {
      result.status = 'skipped'
      result.output = this.#wish(item, named.extension)
      return
    }

    if (wanted.strength === 0 && (await this.#copy(item, output, result))) return
    const open = await this.#tools.sessions?.reuse(item.path)
    const picture = open?.picture ?? (await readPicture(item.path))
    Object.assign(result, { width: picture.width, height: picture.height })
    result.notes.push(...picture.notes)
    // Refuse what cannot be written before any work is done on it.
    planOutput(picture, settings, output.path)

    let { buffer } = picture
    if (wanted.strength > 0) {
      const estimate = open?.estimate ?? (wanted.sigma === 'auto' ? await this.#tools.inference.estimateNoise(picture) : undefined)
      const sigma = chooseSigma(wanted.sigma, estimate)
      result.sigmaEstimated = estimate?.sigma ?? null
      result.sigmaUsed = typeof sigma === 'number' ? sigma : result.sigmaEstimated
      if (sigma === 0) {
        if (wanted.sigma === 'auto') result.notes.push('Already clean: left as it is.')
        if (await this.#copy(item, output, result)) return
      } else {
        const denoised =
          open?.result(wanted.tier, sigma) ??
          (await denoisePicture(
            this.#tools.inference,
            picture,
            { tier: wanted.tier, sigma },
            {
              checkpoint: this.#context.checkpoint,
              onTile: (_, done, total) =>
                total > 4 && this.#context.progress({ current: `${item.name} · ${Math.floor((done / total) * 100)} %` }),
            },
          ))
        buffer = await mixStrength(picture, denoised, wanted)
      }
    }
    await this.#write(item, named.extension, output, result, async ({ path, overwrite }) => {
      const { notes } = await writePicture({ ...picture, buffer }, path, settings, { overwrite })
      result.notes.push(...notes)
    })
  }

  /** Copies the file as it is, when the output would be of the same format and depth; answers whether it did. */
  async #copy(item: ExportItem, output: Output, result: DenoiseResult): Promise<boolean> {
    const opened = await openPicture(item.path)
    const { width, height, format, header } = opened
    const bitDepth = header.depth === 'uchar' ? 8 : 16
    const plan = planOutput({ format, bitDepth }, this.#spec.output, output.path)
    if (plan.format !== format || plan.bitDepth !== bitDepth) return false
    Object.assign(result, { width, height })
    const bytes = await readBytes(item.path)
    await this.#write(item, extname(output.path), output, result, ({ path, overwrite }) => writeFileAtomic(path, [bytes], { overwrite }))
    return true
  }

  /** Writes by `writer`, under another name when this one was taken in the meantime and may be changed. */
  async #write(
    item: ExportItem,
    extension: string,
    output: Output,
    result: DenoiseResult,
    writer: (output: Output) => Promise<void>,
  ): Promise<void> {
    for (let target = output; ;) {
      try {
        await mkdir(dirname(target.path), { recursive: true })
        await writer(target)
        this.#written.add(target.path)
        if (target.url) result.url = target.url(target.path)
        else result.output = target.path
        return
      } catch (thrown) {
        const code = thrown instanceof LucidexError ? thrown.code : (thrown as NodeJS.ErrnoException).code
        if (code !== 'FILE_EXISTS' || this.#spec.output.collision !== 'rename') {
          throw thrown instanceof LucidexError
            ? thrown
            : new LucidexError('FILE_NOT_WRITABLE', (thrown as Error).message, { path: target.path, cause: thrown })
        }
        target = { path: await freePath(this.#wish(item, extension), this.#written), overwrite: false }
      }
    }
  }

  /** Where the result would go if nothing were there. */
  #wish(item: ExportItem, extension: string): string {
    const { destination } = this.#spec
    const name = basename(item.relative, extname(item.relative))
    switch (destination.kind) {
      case 'file':
        return destination.path
      case 'folder':
        return join(destination.path, dirname(item.relative), name + extension)
      case 'beside':
        return join(dirname(item.path), basename(item.path, extname(item.path)) + BESIDE_SUFFIX + extension)
      case 'download':
        return name + BESIDE_SUFFIX + extension
    }
  }

  /** Errors: FILE_EXISTS, when it may not be replaced or is a source. */
  async #choose(item: ExportItem, extension: string): Promise<Output | 'skip'> {
    const wish = this.#wish(item, extension)
    if (this.#spec.destination.kind === 'download') return { ...(await this.#tools.reserveDownload(wish)), overwrite: true }
    if (this.#written.has(wish)) return { path: await freePath(wish, this.#written), overwrite: false }
    if (!(await exists(wish))) return { path: wish, overwrite: false }
    switch (this.#spec.output.collision) {
      case 'skip':
        return 'skip'
      case 'rename':
        return { path: await freePath(wish, this.#written), overwrite: false }
      case 'fail':
        throw new LucidexError('FILE_EXISTS', 'The output is there already', { path: wish })
      case 'overwrite':
        if (await this.#isSource(wish, item)) throw new LucidexError('FILE_EXISTS', 'A source is never overwritten', { path: wish })
        return { path: wish, overwrite: true }
    }
  }

  /** By the file's identity for this picture, by its real path for the others. */
  async #isSource(path: string, item: ExportItem): Promise<boolean> {
    const [target, source] = await Promise.all([stat(path), stat(item.path)])
    if (target.dev === source.dev && target.ino === source.ino) return true
    this.#sources ??= new Set(await Promise.all(this.#items.map(({ path }) => realpath(path).catch(() => path))))
    return this.#sources.has(await realpath(path))
  }
}

/** The extension of the output: the source's own where its format stays. */
async function outputName({ path, name }: ExportItem, format: OutputSettings['format']): Promise<{ extension: string; note?: string }> {
  const extension = extname(name) || extname(path)
  const own = formatOfExtension(extension) ?? (await openPicture(path)).format
  if (format !== 'keep') return { extension: own === format && extension !== '' ? extension : extensionOf(format) }
  if (isWritable(own)) return { extension: extension || extensionOf(own) }
  return { extension: '.tiff', note: `${own.toUpperCase()} is not written: saved as TIFF.` }
}

/** `name-2.ext`, `name-3.ext` …: the first that is not there. */
async function freePath(wish: string, taken: ReadonlySet<string>): Promise<string> {
  const extension = extname(wish)
  const stem = wish.slice(0, wish.length - extension.length)
  for (let number = 2; ; number++) {
    const path = `${stem}-${number}${extension}`
    if (!taken.has(path) && !(await exists(path))) return path
  }
}
