import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { createRandom, seedFrom } from '../../core/random.ts'
import { applySteps, readPixels, type AttackSuite, type Pixels } from './attacks.ts'
import { inFlight, type Watched } from './pictureSet.ts'

export interface DamagedOptions extends Watched {
  suite: AttackSuite
  /** Folder whose pictures are damaged and looked for; folders inside it count. */
  data: string
  /** Folders of pictures that only stand in the way. */
  distractors: string[]
  /** How many pictures of `data` are damaged. */
  queries: number
  /** Names of the attacks to run; without it, all of the suite. */
  attacks?: string[]
}

/** One damaged picture to search by. */
export interface DamagedQuery {
  /** The original's place among the pictures of `data`, sorted by path. */
  original: number
  /** The attack's place among those that are run. */
  attack: number
  /** A temporary file without further loss, gone when `each` is done. */
  file: string
}

/** The attacks that are run, with their places in the suite. */
export function attacksOf({ suite, attacks }: Pick<DamagedOptions, 'suite' | 'attacks'>) {
  return [...suite.attacks.entries()].filter(([, { name }]) => attacks?.includes(name) ?? true)
}

/**
 * Damages pictures at full size in every way and hands each to `each`. The damage depends on the suite's
 * seed, the picture's place among all of `files` and the attack, on nothing else.
 */
export async function damageAll(
  originals: readonly number[],
  files: readonly string[],
  options: DamagedOptions,
  each: (query: DamagedQuery) => Promise<void>,
): Promise<void> {
  const { suite, signal, onProgress = () => {} } = options
  const attacks = attacksOf(options)
  const folder = await mkdtemp(path.join(tmpdir(), 'lucidex-damaged-'))
  let done = 0
  try {
    await inFlight(originals, signal, async (original) => {
      const pixels = await readPixels(files[original]!)
      for (const [attack, [place, { steps }]] of attacks.entries()) {
        signal?.throwIfAborted()
        const file = path.join(folder, `${original}-${place}.tiff`)
        await writeFile(file, await withoutLoss(await applySteps(pixels, steps, createRandom(seedFrom(suite.seed, original, place)))))
        await each({ original, attack, file })
        await rm(file)
      }
      onProgress(`${++done} of ${originals.length} pictures damaged and looked for`)
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function withoutLoss({ data, width, height }: Pixels): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .tiff({ compression: 'none' })
    .toBuffer()
}
