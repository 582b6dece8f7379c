import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, statSync, readdirSync } from 'node:fs'
import { open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** What a graph on disk holds. */
export interface SnapshotHeader {
  format: 2
  /** Of the files beside the header: never used again, so that a header never speaks of other files than its own. */
  name: string
  /** The model hash of the encoder whose vectors these are. */
  encoder: string
  dimension: number
  /** The largest id in the graph. */
  generation: number
  /** SHA-256 of the two files, hex. */
  graph: string
  rows: string
}

/** The vectors in a graph: their ids in ascending order and their checksums (core/vectors/store: checksum). */
export interface SnapshotRows {
  ids: Uint32Array
  checksums: Uint32Array
}

export interface Snapshot {
  header: SnapshotHeader
  /** The graph's file. */
  graph: string
  rows: SnapshotRows
}

const HEADER = 'vectors.json'

/**
 * The snapshot in `dir` for this encoder, its checksums verified, or the reason why there is none that can be
 * used: it is missing, torn, or of another encoder.
 */
export async function readSnapshot(dir: string, wanted: { encoder: string; dimension: number }): Promise<Snapshot | { reason: string }> {
  let header: SnapshotHeader
  try {
    header = JSON.parse(await readFile(path.join(dir, HEADER), 'utf8')) as SnapshotHeader
  } catch (thrown) {
    return { reason: (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is none' : 'its header is damaged' }
  }
  if (header?.format !== 2 || !isSnapshot(`${header.name}.hnsw`)) return { reason: 'its format is unknown' }
  if (header.encoder !== wanted.encoder || header.dimension !== wanted.dimension) return { reason: 'it belongs to another encoder' }
  const graph = path.join(dir, `${header.name}.hnsw`)
  const rows = await readFile(path.join(dir, `${header.name}.rows`)).catch(() => undefined)
  const graphHash = await hashFile(graph).catch(() => undefined)
  if (!rows || graphHash === undefined) return { reason: 'its graph is missing' }
  if (graphHash !== header.graph || hash(rows) !== header.rows) return { reason: 'its graph is damaged' }
  return { header, graph, rows: fromBytes(rows) }
}

/**
 * Writes a snapshot whole or not at all: `save` writes the graph to the path it is given. Its files are flushed,
 * hashed and renamed before the header that names them replaces the old header. Older files are deleted.
 */
export async function writeSnapshot(
  dir: string,
  { rows, ...header }: Pick<SnapshotHeader, 'encoder' | 'dimension'> & { rows: SnapshotRows },
  save: (file: string) => Promise<unknown>,
): Promise<void> {
  const name = `vectors-${randomUUID().slice(0, 8)}`
  const files = { graph: path.join(dir, `${name}.hnsw`), rows: path.join(dir, `${name}.rows`), header: path.join(dir, HEADER) }
  const bytes = toBytes(rows)
  try {
    await save(`${files.graph}.tmp`)
    await flush(`${files.graph}.tmp`)
    const graph = await hashFile(`${files.graph}.tmp`)
    await writeFile(`${files.rows}.tmp`, bytes, { flush: true })
    const text = JSON.stringify({
      format: 2,
      name,
      ...header,
      generation: rows.ids.at(-1) ?? 0,
      graph,
      rows: hash(bytes),
    } satisfies SnapshotHeader)
    await writeFile(`${files.header}.tmp`, text, { flush: true })
    for (const file of [files.graph, files.rows, files.header]) await rename(`${file}.tmp`, file)
  } finally {
    await sweepSnapshots(dir)
  }
}

/** Deletes what belongs to no snapshot: of earlier ones, and of those that were cut short. */
export async function sweepSnapshots(dir: string): Promise<void> {
  const header = await readFile(path.join(dir, HEADER), 'utf8').catch(() => '{}')
  for (const file of await readdir(dir)) {
    if (isSnapshot(file) && file !== HEADER && !header.includes(`"${path.parse(file).name}"`))
      await rm(path.join(dir, file), { force: true })
  }
}

/** Bytes of the snapshot on disk. */
export function snapshotBytes(dir: string): number {
  return readdirSync(dir)
    .filter(isSnapshot)
    .reduce((sum, name) => sum + (statSync(path.join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}

function isSnapshot(file: string): boolean {
  return /^vectors(\.json|-[0-9a-f]+\.(hnsw|rows))(\.tmp)?$/.test(file)
}

/** Little-endian, as every machine that Lucidex runs on has it: the ids, then the checksums. */
function toBytes({ ids, checksums }: SnapshotRows): Uint8Array {
  const bytes = new Uint8Array(ids.byteLength + checksums.byteLength)
  bytes.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength))
  bytes.set(new Uint8Array(checksums.buffer, checksums.byteOffset, checksums.byteLength), ids.byteLength)
  return bytes
}

function fromBytes(bytes: Uint8Array): SnapshotRows {
  const numbers = new Uint32Array(Uint8Array.from(bytes).buffer)
  return { ids: numbers.subarray(0, numbers.length / 2), checksums: numbers.subarray(numbers.length / 2) }
}

function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function hashFile(file: string): Promise<string> {
  const hashed = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hashed.update(chunk as Buffer)
  return hashed.digest('hex')
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
