import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { LucidexError } from '../../core/contract/index.ts'
import type { Log } from '../../core/deps.ts'
import type { Inference } from '../../core/inference/index.ts'
import { innerProduct, nearness, principalComponents } from './baselines.ts'
import { mean, filesBelow, readPictureSet, type Watched } from './pictureSet.ts'

export interface SimilarOptions extends Watched {
  /** Folder of folders, one a class. */
  data: string
  /** Only the last so many classes in C-locale order: those of caltech-dev that the encoder is never trained on are its last 12. */
  last?: number
}

export interface SimilarReport {
  methods: {
    name: string
    /** Means over the pictures, 0..1. */
    precisionAt10: number
    meanAveragePrecision: number
  }[]
  classes: string[]
  pictures: number
}

/** Caltech-101's folder of pictures of anything: no class. */
const NOT_A_CLASS = 'BACKGROUND_Google'

/**
 * How well pictures of one class find each other, leaving one out: each picture is looked for among all
 * others, and those of its class are right. Beside the encoder's descriptors: 16 × 16 raw pixels by their distance
 * and by their correlation, a colour histogram, and principal components of the raw pixels, as many as the
 * descriptor has numbers, fitted on these very pictures, which favours them.
 */
export async function benchSimilar(options: SimilarOptions, inference: Pick<Inference, 'encode'>, log: Log): Promise<SimilarReport> {
  const classes = await classesOf(options.data, options.last)
  const files = await Promise.all(classes.map((name) => filesBelow(path.join(options.data, name))))
  const all = await readPictureSet(files.flat(), inference, log, options)
  const labels = files.flatMap((ofClass, label) => ofClass.map(() => label))
  const read = labels.flatMap((_, index) => (all.entries[index] ? [index] : []))
  const dimension = all.descriptors.get(read[0] ?? 0)?.length ?? 0
  const raw = read.map((index) => all.raw.get(index)!)
  const project = principalComponents(raw, dimension)

  const methods = [
    ['encoder', all.descriptors, innerProduct],
    [`PCA, ${dimension} numbers`, { get: (index: number) => project(all.raw.get(index)!) }, innerProduct],
    ['colour histogram', all.histograms, innerProduct],
    ['raw pixels, correlation', all.raw, innerProduct],
    ['raw pixels, distance', all.colours, nearness],
  ] as const
  const ofRead = read.map((index) => labels[index]!)
  return {
    methods: methods.map(([name, table, likeness]) => {
      const vectors = read.map((index) => table.get(index)!)
      return { name, ...leaveOneOut(vectors, ofRead, likeness) }
    }),
    classes,
    pictures: read.length,
  }
}

/**
 * Precision among the first ten, and mean average precision, of every vector asked for among the others, the most
 * alike first. Nobody asks for a class of one.
 */
export function leaveOneOut(
  vectors: readonly Float32Array[],
  labels: readonly number[],
  likeness: (a: Float32Array, b: Float32Array) => number,
) {
  const atTen: number[] = []
  const averages: number[] = []
  for (const [query, vector] of vectors.entries()) {
    const scores = vectors.map((other) => likeness(vector, other))
    const order = vectors.flatMap((_, index) => (index === query ? [] : [index])).sort((a, b) => scores[b]! - scores[a]!)
    const isRight = order.map((index) => labels[index] === labels[query])
    const wanted = isRight.filter(Boolean).length
    if (wanted === 0) continue
    atTen.push(isRight.slice(0, 10).filter(Boolean).length / Math.min(10, order.length))
    let found = 0
    let sum = 0
    for (const [place, right] of isRight.entries()) if (right) sum += ++found / (place + 1)
    averages.push(sum / wanted)
  }
  return { precisionAt10: mean(atTen), meanAveragePrecision: mean(averages) }
}

/** Names of the class folders in C-locale order. Errors: FOLDER_NOT_FOUND, BAD_REQUEST when there are fewer than two. */
async function classesOf(folder: string, last = Number.POSITIVE_INFINITY): Promise<string[]> {
  const found = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new LucidexError('FOLDER_NOT_FOUND', `${folder} is not a folder that can be read`, { path: folder, cause })
  })
  const names = found
    .flatMap((entry) => (entry.isDirectory() && entry.name !== NOT_A_CLASS ? [entry.name] : []))
    .sort()
    .slice(-last)
  if (names.length < 2) throw new LucidexError('BAD_REQUEST', `${folder} holds fewer than two folders of pictures`, { path: folder })
  return names
}
