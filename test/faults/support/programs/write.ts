/**
 * Writes a picture slowly, as a camera or a download does: in pieces of random size with pauses. Says "ready" after the
 * first and "done". Arguments: the picture to copy, where to, a seed.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import { createRandom } from '../../../../core/random.ts'

const [source, target, seed] = process.argv.slice(2) as [string, string, string]
const random = createRandom(Number(seed))
const bytes = readFileSync(source)
const pieces = 8
const ends = [...Array.from({ length: pieces - 1 }, () => random.integer(bytes.length)), bytes.length].sort((a, b) => a - b)
for (let piece = 0, start = 0; piece < pieces; start = ends[piece++]!) {
  appendFileSync(target, bytes.subarray(start, ends[piece]))
  if (piece === 0) console.log('ready')
  await new Promise((resolve) => setTimeout(resolve, random.integer(250)))
}
console.log('done')
