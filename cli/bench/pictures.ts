import { readdir } from 'node:fs/promises'
import { extname } from 'node:path'
import { LucidexError } from '../../core/contract/index.ts'
import { READABLE_EXTENSIONS, samplesOf, type Picture } from '../../core/images/index.ts'
import type { PlanarPicture } from './metrics.ts'

/** The names of a folder's pictures, sorted. Errors: FOLDER_NOT_FOUND. */
export async function picturesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new LucidexError('FOLDER_NOT_FOUND', 'The folder cannot be read', { path: folder, cause })
  })
  return names.filter((name) => READABLE_EXTENSIONS.has(extname(name).toLowerCase())).sort()
}

/** `count` of them, evenly spaced, with their places among all, so that a picture's noise is the same however many are taken. */
export function evenly<T>(all: readonly T[], count = all.length): { value: T; index: number }[] {
  const taken = Math.min(count, all.length)
  return Array.from({ length: taken }, (_, order) => Math.floor((order * all.length) / taken)).map((index) => ({
    value: all[index]!,
    index,
  }))
}

/** R, G and B planes of an 8-bit picture; grey is repeated, alpha left out. */
export function planar(picture: Picture): PlanarPicture {
  const { width, height, channels } = picture
  const samples = samplesOf(picture)
  const size = width * height
  const data = new Uint8Array(3 * size)
  for (let plane = 0; plane < 3; plane++) {
    const channel = channels < 3 ? 0 : plane
    for (let pixel = 0; pixel < size; pixel++) data[plane * size + pixel] = samples[pixel * channels + channel]!
  }
  return { data, width, height, planes: 3 }
}
