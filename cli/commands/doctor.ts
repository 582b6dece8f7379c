import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, totalmem } from 'node:os'
import path from 'node:path'
import { COMMON_HELP, EXIT, parse, UsageError, type Command } from '../args.ts'
import { libraryDir, MODELS_DIR, VERSION } from '../paths.ts'
import { byteSize, table } from '../table.ts'

interface Check {
  ok: boolean
  /** What was found, or what is wrong. */
  text: string
}

interface ModelCheck {
  id: string
  kind: string
  tier: string | null
  file: string
  bytes: number
  sha256: string
  ok: boolean
  error?: string
}

/** Loads nothing at the top: each native module is tried by itself, and what does not load is told. */
export const doctor: Command = {
  help: `Usage: lucidex doctor [options]

Checks this installation: versions, native modules, inference backends, the models' checksums, and
whether the library's folder can be written.

${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, {})
    if (positionals.length > 0) throw new UsageError(`doctor takes no "${positionals[0]}"`)
    const modules = {
      sqlite: await attempt(sqliteVersion),
      sharp: await attempt(sharpVersion),
      onnxruntime: await attempt(onnxruntimeVersion),
      hnswlib: await attempt(hnswlibVersion),
    }
    const backends = await onnxruntimeBackends().catch(() => [])
    const models = await checkModels().catch((error: unknown) => message(error))
    const folder = libraryDir(values.library, io)
    const library = await attempt(() => checkWritable(folder))

    const modelsOk = Array.isArray(models) && models.length > 0 && models.every((model) => model.ok)
    const ok = modelsOk && library.ok && Object.values(modules).every((check) => check.ok)
    if (values.json) {
      const versions = {
        lucidex: VERSION,
        node: process.version,
        ...Object.fromEntries(Object.entries(modules).map(([name, check]) => [name, check.ok ? check.text : null])),
      }
      const errors = Object.entries({ ...modules, library }).flatMap(([name, check]) => (check.ok ? [] : [`${name}: ${check.text}`]))
      if (!Array.isArray(models)) errors.push(`models: ${models}`)
      const document = {
        ok,
        versions,
        platform: `${process.platform}-${process.arch}`,
        threads: availableParallelism(),
        memory: totalmem(),
        backends,
        models: Array.isArray(models) ? models : [],
        library: { path: folder, writable: library.ok },
        errors,
      }
      io.print(JSON.stringify(document, null, 2))
    } else {
      const mark = (good: boolean) => (good ? 'ok' : 'FAILED')
      const rows = [
        ['ok', 'lucidex', VERSION],
        [
          'ok',
          'node',
          `${process.version} on ${process.platform}-${process.arch}, ${availableParallelism()} threads, ${byteSize(totalmem())} memory`,
        ],
        ...Object.entries(modules).map(([name, check]) => [mark(check.ok), name, check.text]),
        [mark(backends.length > 0), 'backends', backends.join(', ') || 'none'],
        ...(Array.isArray(models)
          ? models.map((model) => [
              mark(model.ok),
              `model ${model.id}`,
              model.error ?? `${byteSize(model.bytes)}, sha256 ${model.sha256.slice(0, 16)}…`,
            ])
          : [['FAILED', 'models', models]]),
        [mark(library.ok), 'library', library.text],
      ]
      io.print(table(rows))
    }
    return ok ? EXIT.ok : EXIT.someFailed
  },
}

async function attempt(look: () => Promise<string>): Promise<Check> {
  try {
    return { ok: true, text: await look() }
  } catch (error) {
    return { ok: false, text: message(error) }
  }
}

function message(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!
}

async function sqliteVersion(): Promise<string> {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(':memory:')
  const row = database.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  database.close()
  return row.version
}

async function sharpVersion(): Promise<string> {
  const { default: sharp } = await import('sharp')
  return `${sharp.versions.sharp} (libvips ${sharp.versions.vips})`
}

async function onnxruntimeVersion(): Promise<string> {
  const { env } = await import('onnxruntime-node')
  return env.versions.node ?? env.versions.common
}

async function onnxruntimeBackends(): Promise<string[]> {
  const { listSupportedBackends } = await import('onnxruntime-node')
  return listSupportedBackends()
    .filter((backend) => backend.bundled)
    .map((backend) => backend.name)
}

async function hnswlibVersion(): Promise<string> {
  const { default: hnswlib } = await import('hnswlib-node')
  new hnswlib.HierarchicalNSW('ip', 4).initIndex(1)
  return createRequire(import.meta.url)('hnswlib-node/package.json').version
}

/** Compares each file of the manifest with the checksum stated there. */
async function checkModels(): Promise<ModelCheck[]> {
  const manifest = JSON.parse(await readFile(path.join(MODELS_DIR, 'manifest.json'), 'utf8'))
  const checks: ModelCheck[] = []
  for (const { id, kind, tier, file, bytes, sha256 } of manifest.models) {
    const check = { id, kind, tier: tier ?? null, file, bytes, sha256 }
    const found = await sha256Of(path.join(MODELS_DIR, file)).catch((error: unknown) => error)
    if (typeof found !== 'string') checks.push({ ...check, ok: false, error: message(found) })
    else if (found !== sha256) checks.push({ ...check, ok: false, error: `checksum differs: the file has ${found}` })
    else checks.push({ ...check, ok: true })
  }
  return checks
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return hash.digest('hex')
}

/** The library's folder, or the nearest one above it that exists, can be written. Makes nothing. */
async function checkWritable(folder: string, nearest = folder): Promise<string> {
  const info = await stat(nearest).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' || path.dirname(nearest) === nearest) throw error
  })
  if (!info) return checkWritable(folder, path.dirname(nearest))
  if (!info.isDirectory()) throw new Error(`${nearest} is not a folder`)
  await access(nearest, constants.W_OK)
  return folder
}
