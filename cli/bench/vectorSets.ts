import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { LucidexError } from '../../core/contract/index.ts'
import type { Log } from '../../core/deps.ts'
import { writeFileAtomic } from '../../core/images/files.ts'
import type { Inference } from '../../core/inference/index.ts'
import { createRandom, type Random } from '../../core/random.ts'
import { filesBelow, readPictureSet, type Watched } from './pictureSet.ts'

export const VECTOR_SETS = ['clustered', 'uniform', 'real'] as const
export type VectorSetName = (typeof VECTOR_SETS)[number]

/** Unit vectors, one at a time and the same ones every time: first `queries`, then those to be stored. */
export interface VectorSet {
  /** Not stored. */
  queries: Float32Array[]
  next(): Float32Array
  /** What they are, in words. */
  about: string
}

/** Vectors of a cluster, on average. */
const IN_CLUSTER = 100
/** Length of the noise that is added to a cluster's centre: cosines within a cluster are some 0.74, between two some 0. */
const SPREAD = 0.6
/** Length of what is added to a real descriptor to make another of it. */
const VARIATION = 0.35

/** Directions without structure: nearest neighbours are hardly nearer than anything else. */
export function uniformSet(dimension: number, queries: number): VectorSet {
  const random = createRandom(1)
  const next = () => direction(random, dimension)
  return { queries: Array.from({ length: queries }, next), next, about: 'uniform on the sphere' }
}

/** A mixture of Gaussians on the sphere: neighbours mean something, as they do among pictures. Queries are further draws. */
export function clusteredSet(dimension: number, queries: number, count: number): VectorSet {
  const random = createRandom(2)
  const centres = Array.from({ length: Math.max(50, Math.round(count / IN_CLUSTER)) }, () => direction(random, dimension))
  const next = () => moved(centres[random.integer(centres.length)]!, direction(random, dimension), SPREAD)
  return {
    queries: Array.from({ length: queries }, next),
    next,
    about: `${centres.length} clusters on the sphere, spread ${SPREAD}`,
  }
}

/**
 * Descriptors of pictures, then as many variations of them as are asked for: a descriptor and a share of the
 * difference between two others, so that they vary as pictures do. Queries are descriptors that are left out.
 */
export function realSet(descriptors: readonly Float32Array[], queries: number, count: number): VectorSet {
  const random = createRandom(3)
  const pool = [...descriptors]
  const taken = Array.from({ length: queries }, () => pool.splice(random.integer(pool.length), 1)[0]!)
  const any = () => pool[random.integer(pool.length)]!
  let given = 0
  const next = () => {
    if (given < pool.length) return pool[given++]!
    const [a, b] = [any(), any()]
    return moved(any(), unit(a.map((value, i) => value - b[i]!)), VARIATION)
  }
  const varied = Math.max(0, count - pool.length)
  return { queries: taken, next, about: `descriptors of ${pool.length} pictures${varied > 0 ? ` and ${varied} variations of them` : ''}` }
}

/** Descriptors of the pictures below `data` by the serving encoder, kept in the system's folder for temporary files. Errors: FILE_NOT_FOUND, when there are too few. */
export async function realDescriptors(
  data: string,
  inference: Pick<Inference, 'encode' | 'encoderHash' | 'descriptorLength'>,
  log: Log,
  watched: Watched,
): Promise<Float32Array[]> {
  const files = await filesBelow(data)
  const cached = path.join(tmpdir(), 'lucidex-bench', `descriptors-${inference.encoderHash()?.slice(0, 16)}-${files.length}.f32`)
  if (!existsSync(cached)) {
    const { descriptors, entries } = await readPictureSet(files, inference, log, watched)
    const read = files.flatMap((_, index) => (entries[index] ? [Buffer.from(Float32Array.from(descriptors.get(index)!).buffer)] : []))
    await mkdir(path.dirname(cached), { recursive: true })
    await writeFileAtomic(cached, read, { overwrite: true })
  }
  const numbers = new Float32Array(Uint8Array.from(await readFile(cached)).buffer)
  const dimension = inference.descriptorLength()
  const found = Array.from({ length: numbers.length / dimension }, (_, at) => numbers.slice(at * dimension, (at + 1) * dimension))
  if (found.length < 1000) throw new LucidexError('FILE_NOT_FOUND', `Below ${data} are only ${found.length} pictures`, { path: data })
  return found
}

function direction(random: Random, dimension: number): Float32Array {
  return unit(Float32Array.from({ length: dimension }, () => random.normal()))
}

function moved(from: Float32Array, by: Float32Array, length: number): Float32Array {
  return unit(from.map((value, i) => value + length * by[i]!))
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}
