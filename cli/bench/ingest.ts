import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { THUMBNAIL_PX } from '../../core/contract/media.ts'
import type { Engine } from '../../core/engine.ts'
import type { IndexReport } from '../../core/library/index.ts'
import { THUMBNAIL_WEBP } from '../../core/images/index.ts'
import type { Io } from '../io.ts'
import { followJob, withEngine } from '../session.ts'
import { LOAD_MAX, settledLoad, watchOthers } from './load.ts'
import { median } from './pictureSet.ts'

export interface SpeedReport {
  pictures: number
  /** Of a file, in the mean. */
  bytes: number
  /** Before the measurement; null on Windows. */
  load: number | null
  /** Why there are no speeds. */
  refused: string | null
  /** Pictures a second, medians over the rounds. */
  bare: number | null
  library: number | null
  /** The median over the rounds of the library's speed as a share of the bare loop's in the same round. */
  ratio: number | null
}

export interface IngestContext {
  io: Io
  signal: AbortSignal
  /** Wait so long for the load to fall to {@link LOAD_MAX}. */
  waitSeconds: number
}

const ROUNDS = 3
/** Pictures taken in before each measurement, so that networks are loaded and decoders run. */
const WARM_UPS = 12

/**
 * How fast the library takes in a folder's pictures, whole, beside how fast sharp alone makes the same
 * thumbnails of the same files and throws them away. Each round does both, in turns first, the library's engine
 * warmed up; the files are in the system's cache. Other work on the machine, before or meanwhile, and there are no speeds.
 * Errors: those of the engine; an AbortError by `signal`.
 */
export async function benchIngest(folder: string, context: IngestContext): Promise<SpeedReport> {
  const { io, signal, waitSeconds } = context
  const files = (await readdir(folder)).map((name) => path.join(folder, name)).sort()
  let bytes = 0
  for (const file of files) bytes += (await readFile(file)).length
  const load = await settledLoad(waitSeconds, { signal, onProgress: io.progress })
  const nothing = { pictures: files.length, bytes: bytes / files.length, load, bare: null, library: null, ratio: null }
  if (load !== null && load > LOAD_MAX) return { ...nothing, refused: `the load average is ${load.toFixed(2)}, above ${LOAD_MAX}` }

  const bare: number[] = []
  const library: number[] = []
  let othersBusy = 0
  for (let round = 0; round < ROUNDS; round++) {
    const measure = {
      bare: async () => {
        io.progress(`Bare thumbnails of ${files.length} pictures, round ${round + 1} of ${ROUNDS}`)
        const others = watchOthers()
        bare.push(files.length / (await secondsOf(() => makeThumbnails(files, signal))))
        othersBusy = Math.max(othersBusy, others())
      },
      library: async () => void library.push(files.length / (await secondsOfIngest(files, context))),
    }
    for (const kind of round % 2 === 0 ? (['bare', 'library'] as const) : (['library', 'bare'] as const)) await measure[kind]()
  }
  if (othersBusy > LOAD_MAX) return { ...nothing, refused: `other work took ${othersBusy.toFixed(2)} processors meanwhile` }
  const ratio = median(library.map((speed, round) => speed / bare[round]!))
  return { ...nothing, refused: null, bare: median(bare), library: median(library), ratio }
}

/** Thumbnails as the library's, by nothing but sharp, with one more at a time than there are cores: while one waits for the disk, the others compute. */
async function makeThumbnails(files: readonly string[], signal: AbortSignal): Promise<void> {
  const left = [...files]
  async function makeNext(): Promise<void> {
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      signal.throwIfAborted()
      await sharp(file, { autoOrient: true })
        .resize(THUMBNAIL_PX, THUMBNAIL_PX, { fit: 'inside', withoutEnlargement: true })
        .webp(THUMBNAIL_WEBP)
        .toBuffer()
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, makeNext))
}

/** From the call that adds the folder to the end of its job, with an engine of its own and a library of a few other pictures. */
async function secondsOfIngest(files: readonly string[], { io }: IngestContext): Promise<number> {
  const others = await mkdtemp(path.join(tmpdir(), 'lucidex-warm-'))
  try {
    for (const [at, file] of files.slice(0, WARM_UPS).entries()) {
      // Behind their end pictures take any bytes: other contents, of another size.
      await writeFile(path.join(others, `${at}${path.extname(file)}`), Buffer.concat([await readFile(file), Buffer.from('other')]))
    }
    return await withEngine({ io }, async (engine) => {
      await indexFolder(engine, others, io)
      return secondsOf(async () => {
        const { indexed } = await indexFolder(engine, path.dirname(files[0]!), io)
        if (indexed !== files.length) throw new Error(`${indexed} of ${files.length} pictures were indexed`)
      })
    })
  } finally {
    await rm(others, { recursive: true, force: true })
  }
}

async function indexFolder(engine: Engine, folder: string, io: Io): Promise<IndexReport> {
  const { jobId } = await engine.api.library.addFolder({ path: folder })
  return (await followJob(engine, jobId!, io)).report.index!
}

/** Indexes a folder of a library in which nothing has changed. */
export async function indexAgain(folder: string, libraryDir: string, io: Io): Promise<{ seconds: number; report: IndexReport }> {
  return withEngine({ io, libraryDir }, async (engine) => {
    let report: IndexReport | undefined
    const seconds = await secondsOf(async () => (report = await indexFolder(engine, folder, io)))
    return { seconds, report: report! }
  })
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}
