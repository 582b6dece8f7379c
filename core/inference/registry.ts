import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { LucidexError, tier, type ModelInfo, type Tier } from '../contract/index.ts'

const entry = z.object({
  id: z.string().min(1),
  kind: z.enum(['denoiser', 'estimator', 'encoder', 'decoder']),
  tier: tier.optional(),
  /** A name in the manifest's own folder. */
  file: z.string().regex(/^[\w.-]+$/),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.number().int().positive(),
  licence: z.string(),
  /** Height and width of a denoiser's input are multiples of this. */
  stride: z.number().int().positive().default(1),
  /** How many pixels of its surroundings a denoiser needs for a tile; measured (`lucidex bench tiling`). */
  tileMargin: z.number().int().nonnegative().optional(),
  /** How many pixels away an input can still change a denoiser's output: the margin where none was measured. */
  receptiveRadius: z.number().int().nonnegative().optional(),
  /** Of an encoder and a decoder: how many numbers describe a picture. */
  dimension: z.number().int().positive().optional(),
  /** Of a decoder: the usual length of the latents it was trained on. A descriptor, of length 1, is made so long before it is decoded. */
  latentNorm: z.number().positive().optional(),
  relations: z
    .object({
      copy: z.object({ minCosine: z.number() }),
      nearDuplicate: z.object({ minCosine: z.number() }),
      similar: z.object({ minCosine: z.number() }),
    })
    .nullish(),
})
const manifest = z.object({
  version: z.literal(1),
  models: z.array(
    entry
      .refine(({ kind, dimension }) => kind !== 'encoder' || dimension !== undefined, 'an encoder names its dimension')
      .refine(({ kind, latentNorm }) => kind !== 'decoder' || latentNorm !== undefined, 'a decoder names its latentNorm'),
  ),
})

/** Assumed of a denoiser whose entry says nothing: more than any U-Net of this size sees. */
const RADIUS_MAX = 128

export type ModelEntry = z.infer<typeof entry>

/** What the worker needs to load a model. */
export interface ModelFile {
  id: string
  path: string
  sha256: string
  stride: number
  /** Of a denoiser: how many pixels of its surroundings a tile needs, a multiple of the stride. */
  margin: number
}

/** The models of a folder, as its manifest.json lists them. Files are verified when they are loaded. */
export class ModelRegistry {
  readonly #folder: string
  readonly #entries: readonly ModelEntry[]
  readonly #states = new Map<string, ModelInfo['state']>()

  private constructor(folder: string, entries: readonly ModelEntry[]) {
    this.#folder = folder
    this.#entries = entries
  }

  /** A folder without a manifest has no models. Errors: MODEL_INVALID, naming the manifest. */
  static async open(folder: string): Promise<ModelRegistry> {
    const path = join(folder, 'manifest.json')
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return new ModelRegistry(folder, [])
      throw new LucidexError('MODEL_INVALID', `The list of models cannot be read: ${(thrown as Error).message}`, { path, cause: thrown })
    }
    try {
      return new ModelRegistry(folder, manifest.parse(JSON.parse(text)).models)
    } catch (thrown) {
      const reason = thrown instanceof z.ZodError ? z.prettifyError(thrown) : (thrown as Error).message
      throw new LucidexError('MODEL_INVALID', `The list of models is not valid: ${reason}`, { path, cause: thrown })
    }
  }

  list(): ModelInfo[] {
    return this.#entries.map(({ id, kind, tier = null, bytes, sha256, licence }) => ({
      id,
      kind,
      tier,
      bytes,
      sha256,
      licence,
      state: this.#states.get(id) ?? 'unloaded',
    }))
  }

  setState(id: string, state: ModelInfo['state']): void {
    this.#states.set(id, state)
  }

  encoder(): ModelEntry | undefined {
    return this.#entries.find(({ kind }) => kind === 'encoder')
  }

  decoder(): ModelEntry | undefined {
    return this.#entries.find(({ kind }) => kind === 'decoder')
  }

  /** Errors: MODEL_NOT_FOUND. */
  file(wanted: { kind: 'denoiser'; tier: Tier } | { kind: 'encoder' | 'decoder' | 'estimator' }): ModelFile {
    const found = this.#entries.find((model) => model.kind === wanted.kind && (wanted.kind !== 'denoiser' || model.tier === wanted.tier))
    if (!found) {
      const name = wanted.kind === 'denoiser' ? `${wanted.tier} denoiser` : wanted.kind
      throw new LucidexError('MODEL_NOT_FOUND', `There is no ${name} among the models`, { path: join(this.#folder, 'manifest.json') })
    }
    return { id: found.id, path: join(this.#folder, found.file), sha256: found.sha256, stride: found.stride, margin: marginOf(found) }
  }
}

function marginOf({ stride, tileMargin, receptiveRadius = RADIUS_MAX }: ModelEntry): number {
  return Math.ceil((tileMargin ?? receptiveRadius) / stride) * stride
}

/** The model's bytes, which are those that the manifest names. Errors: MODEL_NOT_FOUND, MODEL_CHECKSUM. */
export async function readModel({ path, sha256 }: Pick<ModelFile, 'path' | 'sha256'>): Promise<Uint8Array> {
  const bytes = await readFile(path).catch((thrown: unknown) => {
    throw new LucidexError('MODEL_NOT_FOUND', `The model file cannot be read: ${(thrown as Error).message}`, { path, cause: thrown })
  })
  const actual = createHash('sha256').update(bytes).digest('hex')
  if (actual !== sha256) {
    throw new LucidexError('MODEL_CHECKSUM', `The model file is not the one its manifest names: SHA-256 ${actual} instead of ${sha256}`, {
      path,
    })
  }
  return bytes
}
