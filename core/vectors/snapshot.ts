import { createHash } from 'node:crypto'
import { createReadStream, statSync, readdirSync } from 'node:fs'
import { open, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** What a graph on disk holds. Its file is named by `generation`: a header never speaks of another file than its own. */
export interface SnapshotHeader {
  format: 1
  /** The model hash of the encoder whose vectors these are. */
  encoder: string
  dimension: number
  /** How many vectors, and the largest of their ids. */
  count: number
  generation: number
  /** SHA-256 of the graph's file, hex. */
  sha256: string
}

const HEADER = 'vectors.json'
const graphName = (generation: number) => `vectors-${generation}.hnsw`

/**
 * The snapshot in `dir` for this encoder, its checksum verified, or the reason why there is none that can be
 * used: it is missing, torn, or of another encoder.
 */
export async function readSnapshot(
  dir: string,
  wanted: { encoder: string; dimension: number },
): Promise<{ header: SnapshotHeader; graph: string } | { reason: string }> {
  let header: SnapshotHeader
  try {
    header = JSON.parse(await readFile(path.join(dir, HEADER), 'utf8')) as SnapshotHeader
  } catch (thrown) {
    return { reason: (thrown as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is none' : 'its header is damaged' }
  }
  if (header?.format !== 1) return { reason: 'its format is unknown' }
  if (header.encoder !== wanted.encoder || header.dimension !== wanted.dimension) return { reason: 'it belongs to another encoder' }
  const graph = path.join(dir, graphName(header.generation))
  const sha256 = await hashFile(graph).catch(() => undefined)
  if (sha256 === undefined) return { reason: 'its graph is missing' }
  if (sha256 !== header.sha256) return { reason: 'its graph is damaged' }
  return { header, graph }
}

/**
 * Writes a snapshot whole or not at all: `save` writes the graph to the path it is given, which is flushed,
 * hashed and renamed before the header that names it replaces the old header. Older graphs are deleted.
 */
export async function writeSnapshot(
  dir: string,
  header: Omit<SnapshotHeader, 'format' | 'sha256'>,
  save: (file: string) => Promise<unknown>,
): Promise<void> {
  const graph = path.join(dir, graphName(header.generation))
  const temporary = `${graph}.tmp`
  await save(temporary)
  await flush(temporary)
  const sha256 = await hashFile(temporary)
  await rename(temporary, graph)
  const target = path.join(dir, HEADER)
  await writeFile(`${target}.tmp`, JSON.stringify({ format: 1, ...header, sha256 } satisfies SnapshotHeader))
  await flush(`${target}.tmp`)
  await rename(`${target}.tmp`, target)
  for (const name of await readdir(dir)) {
    if (isSnapshot(name) && name !== HEADER && name !== path.basename(graph)) await rm(path.join(dir, name), { force: true })
  }
}

/** Bytes of the snapshot on disk. */
export function snapshotBytes(dir: string): number {
  return readdirSync(dir)
    .filter(isSnapshot)
    .reduce((sum, name) => sum + (statSync(path.join(dir, name), { throwIfNoEntry: false })?.size ?? 0), 0)
}

function isSnapshot(name: string): boolean {
  return name === HEADER || /^vectors-\d+\.hnsw(\.tmp)?$/.test(name)
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function flush(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
