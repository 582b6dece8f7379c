import sharp from 'sharp'
import { LucidexError } from '../../core/contract/index.ts'
import { readForQuery } from '../../core/images/index.ts'
import type { Decoded, Inference } from '../../core/inference/index.ts'
import { reconstruct, squashed } from '../../core/search/reconstruction.ts'
import { evenlySpaced, filesBelow, mean } from './pictureSet.ts'

export interface SheetReport {
  pictures: number
  /** Mean over the pictures of the root mean square error, 8-bit levels. */
  error: number
  width: number
  height: number
}

/** Pixels between the sheet's cells, and how many sheet pixels a decoded one gets. */
const GAP = 6
const ZOOM = 2
const COLUMNS = 10
const INTERPOLATIONS = 4

/**
 * A contact sheet of what the index sees, as PNG: rows of pictures, each above its reconstruction from the
 * descriptor; below them, walks along the sphere of descriptors from one picture to another, decoded at equal
 * steps. `count` pictures of the folder, evenly spaced. Errors: FOLDER_NOT_FOUND, FILE_NOT_FOUND.
 */
export async function reconstructionSheet(
  folder: string,
  count: number,
  inference: Inference,
): Promise<{ png: Uint8Array; report: SheetReport }> {
  const files = evenlySpaced(await filesBelow(folder), count)
  if (files.length === 0) throw new LucidexError('FILE_NOT_FOUND', `${folder} holds no pictures`, { path: folder })
  const inputs = await Promise.all(files.map(async (file) => (await readForQuery(file)).encoderInput))
  const descriptors = await inference.encode(inputs)
  const rebuilt = await Promise.all(inputs.map((input, index) => reconstruct(descriptors[index]!, input, inference)))
  const side = rebuilt[0]!.picture.side

  const rows: Decoded[][] = []
  for (let start = 0; start < inputs.length; start += COLUMNS) {
    const range = [start, start + COLUMNS] as const
    rows.push(await Promise.all(inputs.slice(...range).map(async (input) => ({ data: await squashed(input, side), side }))))
    rows.push(rebuilt.slice(...range).map(({ picture }) => picture))
  }
  for (const from of evenlySpaced([...descriptors.keys()].slice(0, -1), INTERPOLATIONS)) {
    const walk = Array.from({ length: COLUMNS }, (_, step) =>
      between(descriptors[from]!, descriptors[(from + 1) % descriptors.length]!, step / (COLUMNS - 1)),
    )
    rows.push(await inference.decode(walk))
  }
  const cell = side * ZOOM
  const width = COLUMNS * (cell + GAP) + GAP
  const height = rows.length * (cell + GAP) + GAP
  const placed = await Promise.all(
    rows.flatMap((row, y) =>
      row.map(async ({ data }, x) => ({
        input: await sharp(data, { raw: { width: side, height: side, channels: 3 } })
          .resize(cell, cell, { kernel: 'cubic' })
          .png()
          .toBuffer(),
        left: GAP + x * (cell + GAP),
        top: GAP + y * (cell + GAP),
      })),
    ),
  )
  const png = await sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite(placed)
    .png()
    .toBuffer()
  return { png, report: { pictures: files.length, error: mean(rebuilt.map(({ error }) => error)), width, height } }
}

/** Spherical interpolation (Shoemake, 1985) between two vectors of length 1; t from 0 to 1. */
export function between(a: Float32Array, b: Float32Array, t: number): Float32Array {
  const cosine = a.reduce((sum, value, at) => sum + value * b[at]!, 0)
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)))
  const sine = Math.sin(angle)
  const [ofA, ofB] = sine < 1e-6 ? [1 - t, t] : [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine]
  return a.map((value, at) => ofA * value + ofB * b[at]!)
}
