/**
 * The shapes that cross the wire. Ids are SQLite row ids; times are milliseconds since 1970 (UTC);
 * sizes are pixels or bytes as named; σ (sigma) is the standard deviation of noise in 8-bit units (0..255).
 */
import { z } from 'zod'
import { ERROR_CODES } from './errors.ts'
import { namesFolders, unknownTokens } from './names.ts'

export const errorData = z.object({
  code: z.enum(ERROR_CODES),
  message: z.string(),
  path: z.string().optional(),
  details: z.record(z.string(), z.unknown()).optional(),
})

const id = z.number().int().positive()
const count = z.number().int().nonnegative()
const filePath = z.string().min(1).max(4096)

// ---------------------------------------------------------------- Library

export const FOLDER_STATES = ['ready', 'scanning', 'offline', 'removed'] as const
export const folder = z.object({
  id,
  path: z.string(),
  name: z.string(),
  state: z.enum(FOLDER_STATES),
  watching: z.boolean(),
  /** Files by state; `images` counts distinct contents. */
  counts: z.object({ files: count, images: count, pending: count, failed: count, missing: count }),
  /** Patterns of what is left out, one a line, in the syntax of gitignore(5). */
  ignore: z.string(),
  addedAt: z.number(),
})
export type Folder = z.infer<typeof folder>

/** pending: seen, not yet read; missing: was here, is gone or its drive is absent. */
export const FILE_STATES = ['pending', 'indexed', 'failed', 'missing'] as const

/** One picture as the grid shows it. `url` is its thumbnail. */
export const item = z.object({
  id,
  name: z.string(),
  width: count,
  height: count,
  bytes: count,
  state: z.enum(FILE_STATES),
  takenAt: z.number().nullable(),
  modifiedAt: z.number(),
  /** How many files hold this same content. */
  copies: count,
  url: z.string(),
})
export type Item = z.infer<typeof item>

export const photoMetadata = z.object({
  takenAt: z.number().nullable(),
  camera: z.string().nullable(),
  lens: z.string().nullable(),
  iso: z.number().nullable(),
  /** Seconds. */
  exposure: z.number().nullable(),
  aperture: z.number().nullable(),
  /** Millimetres, as on the lens. */
  focalLength: z.number().nullable(),
  latitude: z.number().nullable(),
  longitude: z.number().nullable(),
})
export type PhotoMetadata = z.infer<typeof photoMetadata>

export const itemDetail = item.extend({
  format: z.string(),
  bitDepth: z.number(),
  hasAlpha: z.boolean(),
  /** The embedded ICC profile's description, or null when there is none. */
  profile: z.string().nullable(),
  contentHash: z.string(),
  /** Estimated noise, or null when it was not measured. */
  sigma: z.number().nullable(),
  metadata: photoMetadata,
  files: z.array(z.object({ id, path: z.string(), folderId: id, state: z.enum(FILE_STATES), bytes: count, modifiedAt: z.number() })),
  /** A view of the whole picture, at most 2,560 px on its long side. */
  pictureUrl: z.string(),
})
export type ItemDetail = z.infer<typeof itemDetail>

/** A folder inside a folder of the library, by its path from there: `2024/Lisbon`, with `/` on every system. */
const within = z.string().min(1).max(4096)

/**
 * Which pictures are meant, in the grid and in a search alike. What is not given narrows nothing; a picture
 * must satisfy all that is.
 */
export const itemFilter = z.object({
  folderId: id.optional(),
  /** What lies in this folder inside `folderId`, however deep. Means nothing without `folderId`. */
  within: within.optional(),
  /** Case-insensitive part of a file's name. */
  text: z.string().max(200).optional(),
  /** Taken at this time or later; where a picture does not say, its file's time of change counts, as in sorting. */
  takenFrom: z.number().int().optional(),
  /** Taken before this time. */
  takenTo: z.number().int().optional(),
  /** The camera as `library.facets` names it; null: pictures that name none. */
  camera: z.string().max(200).nullable().optional(),
  /** The lens, likewise. */
  lens: z.string().max(200).nullable().optional(),
  /** Width × height, both ends included. */
  minPixels: count.optional(),
  maxPixels: count.optional(),
  state: z.enum(FILE_STATES).optional(),
})
export type ItemFilter = z.infer<typeof itemFilter>

export const ITEM_SORTS = ['added', 'taken', 'name', 'size'] as const
export const itemQuery = itemFilter.extend({
  sort: z.enum(ITEM_SORTS).default('added'),
  descending: z.boolean().default(true),
})
export type ItemQuery = z.infer<typeof itemQuery>

/** What the pictures that a filter leaves can be narrowed by further: only what occurs, the most frequent first; years newest first. */
export const facets = z.object({
  cameras: z.array(z.object({ name: z.string().nullable(), count })),
  lenses: z.array(z.object({ name: z.string().nullable(), count })),
  /** By the time in `takenFrom`; `from` and `to` are the year's own bounds for a filter. */
  years: z.array(z.object({ year: z.number().int(), from: z.number(), to: z.number(), count })),
})
export type Facets = z.infer<typeof facets>

/** A folder inside a folder of the library, with all that lies below it. */
export const treeNode = z.object({
  within,
  name: z.string(),
  counts: z.object({ files: count, pending: count, failed: count, missing: count }),
  /** Whether pictures lie in folders inside this one. */
  hasChildren: z.boolean(),
})
export type TreeNode = z.infer<typeof treeNode>

export const problem = z.object({
  fileId: id,
  folderId: id,
  path: z.string(),
  error: errorData,
  seenAt: z.number(),
})
export type Problem = z.infer<typeof problem>

export const problemQuery = z.object({
  folderId: id.optional(),
  code: z.enum(ERROR_CODES).optional(),
  /** The files that `library.ignore` set aside, instead of those that are shown. */
  ignored: z.boolean().default(false),
})
export type ProblemQuery = z.infer<typeof problemQuery>

/** What was taken out of the library and can be put back: also after a restart, for 30 days or until the job `compact`. */
export const UNDO_KINDS = ['remove-folder', 'forget-missing', 'ignore'] as const
export const undoable = z.object({
  id,
  kind: z.enum(UNDO_KINDS),
  /** The folder it was done to; null for the whole library. */
  folder: z.string().nullable(),
  /** How many files it took. */
  count,
  at: z.number(),
})
export type Undoable = z.infer<typeof undoable>

/** The most that the decoders take: 2²⁸ pixels. */
export const MAX_MEGAPIXELS = 268

/** How folders are read and followed. */
export const librarySettings = z.object({
  /** Files read and decoded at the same time. */
  concurrency: z.union([z.literal('auto'), z.number().int().min(1).max(32)]),
  /** Whether changes on the disk are followed while the app is open. */
  watch: z.boolean(),
  /** Whether every folder is looked through at start. */
  followAtStart: z.boolean(),
  /** A picture of more megapixels is not decoded but listed under Problems (PICTURE_TOO_LARGE). */
  maxMegapixels: z.number().int().min(1).max(MAX_MEGAPIXELS),
})
export type LibrarySettings = z.infer<typeof librarySettings>

/** An exported library as it says of itself, before it is imported. */
export const libraryFile = z.object({
  path: z.string(),
  bytes: count,
  exportedAt: z.number(),
  /** Version of Lucidex that wrote it. */
  version: z.string(),
  images: count,
  /** Whether its vectors are of the encoder that serves here; others are computed anew. */
  sameEncoder: z.boolean(),
  /** Its folders; `found`: whether the same path is a folder here. */
  folders: z.array(z.object({ path: z.string(), files: count, found: z.boolean() })),
})
export type LibraryFile = z.infer<typeof libraryFile>

export const libraryStatus = z.object({
  files: count,
  images: count,
  vectors: count,
  pending: count,
  missing: count,
  failed: count,
  encoder: z.string().nullable(),
  index: z.object({
    kind: z.enum(['exact', 'hnsw']),
    generation: count,
    upToDate: z.boolean(),
    /** What the graph found when it was last set against an exact scan: of the ten nearest vectors the share, over so many queries. */
    recall: z.object({ at10: z.number().min(0).max(1), samples: count, checkedAt: z.number() }).nullable(),
  }),
  integrity: z.enum(['ok', 'corrupt']),
  /** Bytes of the catalog, the thumbnails in it and the index snapshot. */
  bytes: count,
})
export type LibraryStatus = z.infer<typeof libraryStatus>

/** Where a library's bytes are. `catalog` is the rest of the database, with `free` in it: what the job `compact` would give back. */
export const libraryStorage = z.object({
  catalog: count,
  thumbnails: count,
  vectors: count,
  free: count,
  snapshot: count,
  backups: count,
})
export type LibraryStorage = z.infer<typeof libraryStorage>

// ---------------------------------------------------------------- Search

/** A box on the upright picture, as shares (0..1) of its width and height. */
export const region = z
  .object({
    x: z.number().min(0).max(1),
    y: z.number().min(0).max(1),
    width: z.number().positive().max(1),
    height: z.number().positive().max(1),
  })
  .refine((box) => box.x + box.width <= 1.0001 && box.y + box.height <= 1.0001, 'the box leaves the picture')
export type Region = z.infer<typeof region>

/** A picture named by what the renderer may name: an item, an uploaded query, or a path from a dialog, a drop or the picker. */
export const source = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('item'), id }),
  z.object({ kind: z.literal('query'), id: z.string().min(1).max(64) }),
  z.object({ kind: z.literal('path'), path: filePath }),
])
export type Source = z.infer<typeof source>

/** A picture given to search by or to denoise that is not in the library: kept until the engine stops. */
export const query = z.object({
  id: z.string(),
  name: z.string(),
  width: count,
  height: count,
  url: z.string(),
})
export type Query = z.infer<typeof query>

/**
 * What a match is to the query. `same-file`: equal bytes; `copy`: the same picture, changed;
 * the others by the encoder's calibrated thresholds (manifest, `relations`); `unrelated`: below all of them.
 */
export const RELATIONS = ['same-file', 'copy', 'near-duplicate', 'similar', 'unrelated'] as const
export const relation = z.enum(RELATIONS)
export type Relation = z.infer<typeof relation>

export const searchResult = z.object({
  item,
  path: z.string(),
  /** The best cosine of the two descriptors over the query's views, raised where the pictures themselves align; -1..1. What it means is `relation`. */
  score: z.number(),
  relation,
})
export type SearchResult = z.infer<typeof searchResult>

/** What the index knows of a picture, decoded from its descriptor alone. */
export const reconstruction = z.object({
  /** A small square picture, whatever the picture's proportions. */
  url: z.string(),
  /** Root mean square difference from the picture at that size, in 8-bit levels: 0 to 255. */
  error: z.number().min(0).max(255),
})
export type Reconstruction = z.infer<typeof reconstruction>

export const searchResponse = z.object({
  results: z.array(searchResult),
  /** How the answer was found: by scanning every vector or through the HNSW graph. */
  method: z.enum(['exact', 'hnsw']),
  milliseconds: z.number(),
  /** How many vectors were searched. */
  searched: count,
})
export type SearchResponse = z.infer<typeof searchResponse>

// ---------------------------------------------------------------- Denoise

export const TIERS = ['fast', 'best'] as const
export const tier = z.enum(TIERS)
export type Tier = z.infer<typeof tier>

export const denoiseSettings = z.object({
  tier,
  /** The noise level given to the network: measured from the picture, or σ in 8-bit units. */
  sigma: z.union([z.literal('auto'), z.number().min(0).max(75)]),
  /** Share of the result mixed into the original, 0..100; 0 is the original. Needs no inference. */
  strength: z.number().min(0).max(100),
  /**
   * Texture recovery, 0..100: the share of the removed luma that is put back, so that fine grain stays while
   * colour noise goes. At 100 the result has the original's luma and the denoised colours. Needs no
   * inference; the formula is that of `mixSample` (contract/mix.ts).
   */
  texture: z.number().min(0).max(100).default(0),
})
export type DenoiseSettings = z.infer<typeof denoiseSettings>

export const OUTPUT_FORMATS = ['keep', 'png', 'jpeg', 'tiff', 'webp', 'avif'] as const
export const outputSettings = z.object({
  format: z.enum(OUTPUT_FORMATS).default('keep'),
  bitDepth: z.enum(['keep', '8', '16']).default('keep'),
  /** For lossy formats, 1..100. */
  quality: z.number().int().min(1).max(100).default(92),
  /** What to do when the output is there already. The source itself is never overwritten. */
  collision: z.enum(['fail', 'skip', 'rename', 'overwrite']).default('rename'),
  /**
   * The output's name without its extension, from the tokens of `NAME_TOKENS` (contract/names.ts); everything else is
   * taken as it is. By default `{name}` in a folder, `{name}_denoised` beside the source and for a
   * download. A destination `file` has its own name.
   */
  pattern: z
    .string()
    .min(1)
    .max(200)
    .refine((text) => !namesFolders(text), 'a name pattern names no folders')
    .refine((text) => unknownTokens(text).length === 0, 'only {name}, {folder}, {tier}, {strength} and {date} are known')
    .optional(),
})
export type OutputSettings = z.infer<typeof outputSettings>

/** Where an export goes. `file` and `folder` come from a dialog or the picker; `download` is fetched from the returned URL. */
export const destination = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('file'), path: filePath }),
  z.object({ kind: z.literal('folder'), path: filePath }),
  z.object({ kind: z.literal('beside') }),
  z.object({ kind: z.literal('download') }),
])
export type Destination = z.infer<typeof destination>

/** A picture opened in the denoise view; pixels stay in the engine. */
export const denoiseSession = z.object({
  id: z.string(),
  name: z.string(),
  width: count,
  height: count,
  format: z.string(),
  bitDepth: z.number(),
  hasAlpha: z.boolean(),
  profile: z.string().nullable(),
  /** Estimated σ of the noise. */
  sigma: z.number(),
  /** The estimate says there is nothing to remove. */
  clean: z.boolean(),
  /** The upright original, 8-bit, whole. */
  originalUrl: z.string(),
})
export type DenoiseSession = z.infer<typeof denoiseSession>

/** A rectangle of the upright picture, in its pixels. */
export const pixelRect = z.object({ x: count, y: count, width: count.positive(), height: count.positive() })
export type PixelRect = z.infer<typeof pixelRect>

export const denoiseTile = z.object({
  sessionId: z.string(),
  /** Grows with every preview started: tiles of an older one are stale. */
  revision: count,
  x: count,
  y: count,
  width: count,
  height: count,
  url: z.string(),
  /** Of a tile of "the first look" (denoise/firstLook.ts): picture pixels for each pixel of the tile's image, more than 1 where the picture is shown smaller. Absent: a tile of the picture itself. */
  scale: z.number().min(1).optional(),
})
export type DenoiseTile = z.infer<typeof denoiseTile>

/** Picture pixels along each side of one value of a confidence map. */
export const CONFIDENCE_CELL = 8
/** A confidence map's value, 0..255, is the expected error (root mean square, 8-bit levels) times this; 255 also stands for more. */
export const CONFIDENCE_SCALE = 16

/**
 * A part of a confidence map. `url` is a lossless 8-bit grey picture with one value for each
 * {@link CONFIDENCE_CELL} picture pixels: how far the denoised picture is expected to be from the clean one.
 */
export const denoiseConfidence = z.object({
  sessionId: z.string(),
  /** Grows with every map started: parts of an older one are stale. */
  revision: count,
  x: count,
  y: count,
  width: count,
  height: count,
  url: z.string(),
  /** False when this model was not calibrated: then the values are the spread itself, and only their order means something. */
  calibrated: z.boolean(),
})
export type DenoiseConfidence = z.infer<typeof denoiseConfidence>

/**
 * How much of a picture's structure went with its noise, at strength 100 and texture 0. The loss at other
 * settings is `loss · strength / 100 · (1 − texture / 100)`: above `limit` the window warns.
 */
export const structureLoss = z.object({
  /** Contrast of structure that was removed, as a share (0..1) of the contrast that was there. */
  loss: z.number().min(0).max(1),
  /** The loss above which structure is visibly eaten. */
  limit: z.number(),
  /** Where most was removed; null where nothing was. */
  worst: pixelRect.nullable(),
})
export type StructureLoss = z.infer<typeof structureLoss>

export const denoiseResult = z.object({
  input: z.string(),
  output: z.string().nullable(),
  /** For destination `download`: where to fetch it. */
  url: z.string().nullable(),
  width: count,
  height: count,
  sigmaEstimated: z.number().nullable(),
  sigmaUsed: z.number().nullable(),
  seconds: z.number(),
  status: z.enum(['done', 'skipped', 'failed']),
  /** Why a picture was skipped: its output is there already, or its estimated σ is below the job's `minSigma`. */
  reason: z.enum(['exists', 'little-noise']).optional(),
  /** The loss of structure at the strength and texture used (see {@link structureLoss}), or null where nothing was denoised. */
  structureLoss: z.number().nullable().optional(),
  /** What a user should know: a page dropped, CMYK converted, a format changed. */
  notes: z.array(z.string()),
  error: errorData.optional(),
})
export type DenoiseResult = z.infer<typeof denoiseResult>

// ---------------------------------------------------------------- Jobs

export const jobSpec = z.discriminatedUnion('kind', [
  /** Follow the disk: find new, changed, moved and missing files in one folder or all, then index them. */
  z.object({ kind: z.literal('index'), folderId: id.optional() }),
  /** Check the library against itself and the disk, and repair what can be computed again. `thorough` also reads every file and compares its hash. */
  z.object({ kind: z.literal('verify'), thorough: z.boolean().default(false) }),
  /** Write the whole library, but for the pictures themselves, into one file. Errors: FILE_EXISTS, FILE_NOT_WRITABLE, DISK_FULL. */
  z.object({ kind: z.literal('export-library'), path: filePath, overwrite: z.boolean().default(false) }),
  /**
   * Merge an exported library into this one: known pictures are not doubled, nothing that is unchanged is
   * read again. `map` says where folders lie here: every path that begins with `from` begins with `to`.
   * Errors: FILE_NOT_FOUND, FORMAT_UNKNOWN, LIBRARY_CORRUPT, LIBRARY_FROM_FUTURE, DISK_FULL.
   */
  z.object({
    kind: z.literal('import-library'),
    path: filePath,
    map: z
      .array(z.object({ from: filePath, to: filePath }))
      .max(1000)
      .default([]),
  }),
  /** Give unused bytes of the database back to the disk. What could be undone until then is deleted. */
  z.object({ kind: z.literal('compact') }),
  /** Denoise a session's picture for the view: announces each tile by the event `denoiseTile`. */
  z.object({
    kind: z.literal('denoise-preview'),
    sessionId: z.string(),
    tier,
    sigma: denoiseSettings.shape.sigma,
    /** Tiles are done outward from here. */
    focus: z.object({ x: z.number(), y: z.number() }).optional(),
    /**
     * What is on the screen, in picture pixels, and how many screen pixels show one of them. It is denoised first,
     * reduced where that is less than one, and announced as tiles with a `scale`.
     */
    view: pixelRect.extend({ scale: z.number().positive() }).optional(),
  }),
  /** Where a session's denoised picture is uncertain: announces each part by the event `denoiseConfidence`. A new one replaces the one before. */
  z.object({
    kind: z.literal('denoise-confidence'),
    sessionId: z.string(),
    tier,
    sigma: denoiseSettings.shape.sigma,
    /** The part of the picture to look at; by default all of it. */
    area: pixelRect.optional(),
  }),
  /** Denoise pictures (or folders of them) to files. */
  z.object({
    kind: z.literal('denoise'),
    sources: z.array(source).min(1).max(100_000),
    recursive: z.boolean().default(true),
    settings: denoiseSettings,
    output: outputSettings,
    destination,
    /** Only noisy pictures: those whose estimated σ is at least this; `auto` leaves out those that are called clean. 0 takes all. */
    minSigma: z.union([z.literal('auto'), z.number().min(0).max(75)]).default(0),
  }),
  /** Measure the denoisers here: speed of every tier on every device, and PSNR on a clean picture with added noise. */
  z.object({
    kind: z.literal('measure'),
    /** A clean picture of the user's own; without one, a drawn one. */
    source: source.optional(),
    /** σ of the noise that is added, 8-bit units. */
    sigma: z.number().min(1).max(75).default(25),
  }),
])
export type JobSpec = z.infer<typeof jobSpec>
export type JobSpecInput = z.input<typeof jobSpec>
export type JobKind = JobSpec['kind']

/** `interrupted`: the engine stopped while it ran; it can be resumed. */
export const JOB_STATES = ['queued', 'running', 'paused', 'done', 'failed', 'cancelled', 'interrupted'] as const

export const job = z.object({
  id: z.number().int().positive(),
  kind: z.enum([
    'index',
    'verify',
    'export-library',
    'import-library',
    'compact',
    'denoise-preview',
    'denoise-confidence',
    'denoise',
    'measure',
  ]),
  title: z.string(),
  state: z.enum(JOB_STATES),
  done: count,
  failed: count,
  /** Null while it is not known. */
  total: count.nullable(),
  /** What `done` counts: files, pictures, tiles, checks, steps of a measurement or of upkeep. */
  unit: z.enum(['files', 'pictures', 'tiles', 'checks', 'steps']),
  /** Units a second over the last seconds, or null. */
  rate: z.number().nullable(),
  etaMs: z.number().nullable(),
  /** The name of what is being worked on. */
  current: z.string().nullable(),
  startedAt: z.number(),
  finishedAt: z.number().nullable(),
  error: errorData.optional(),
})
export type Job = z.infer<typeof job>

// ---------------------------------------------------------------- Inference

/** Where networks run: `auto` is what a short measurement found fastest here. `cpu` is always there. */
export const DEVICES = ['cpu', 'cuda', 'dml', 'coreml', 'webgpu'] as const
export const device = z.enum(DEVICES)
export type Device = z.infer<typeof device>

export const inferenceSettings = z.object({
  device: z.union([z.literal('auto'), device]),
  threads: z.union([z.literal('auto'), z.number().int().min(1).max(64)]),
})
export type InferenceSettings = z.infer<typeof inferenceSettings>

/** What was chosen by measuring, and on what. */
export const inferenceChoice = z.object({
  device,
  threads: count.positive(),
  secondsPerMegapixel: z.number(),
  measuredAt: z.number(),
})

export const inferenceState = z.object({
  settings: inferenceSettings,
  /** What is in use now. */
  device,
  threads: count.positive(),
  /** Devices that this build of ONNX Runtime knows on this system, `cpu` among them; whether another one works shows when it is measured or chosen. */
  devices: z.array(device),
  /** The machine's own count: the most that `threads` is good for. */
  cores: count.positive(),
  /** What `auto` stands for; null until it was measured. */
  chosen: inferenceChoice.nullable(),
  /** Why a device was left for the CPU since the engine started, or null. */
  fellBack: z.string().nullable(),
})
export type InferenceState = z.infer<typeof inferenceState>

/** The document of the in-app benchmark. Save it as it is: it says where and on what it was measured. */
export const measurement = z.object({
  version: z.string(),
  platform: z.string(),
  cpu: z.string(),
  cores: count,
  measuredAt: z.number(),
  /** Name of the picture, or null for the drawn one; its size in pixels as measured (a crop of at most one megapixel). */
  picture: z.object({ name: z.string().nullable(), width: count, height: count }),
  /** σ of the Gaussian noise that was added, 8-bit units, unclipped float as in `bench denoise`. */
  sigma: z.number(),
  /** PSNR of the noisy picture, dB. */
  psnrNoisy: z.number(),
  /** Where a row has an `error`, its figures are 0. */
  rows: z.array(
    z.object({
      model: z.string(),
      tier,
      device,
      threads: count.positive(),
      secondsPerMegapixel: z.number(),
      /** PSNR of the denoised picture, dB, rounded to 8 bits. */
      psnr: z.number(),
      error: errorData.optional(),
    }),
  ),
})
export type Measurement = z.infer<typeof measurement>

/**
 * What verifying can find. Repaired, by computing it again: file-changed, file-missing, file-returned (their
 * rows follow the disk), thumbnail-missing, vector-missing, vector-damaged, orphan (rows that refer
 * to nothing), label (which file stands for a picture), index-recall (the graph is built anew). Told, and left as it
 * is: database (the damage that SQLite finds), content-changed (other bytes at the same size and time: the
 * medium may be failing), file-unreadable, folder-offline.
 */
export const FINDINGS = [
  'database',
  'folder-offline',
  'file-unreadable',
  'content-changed',
  'file-changed',
  'file-missing',
  'file-returned',
  'thumbnail-missing',
  'vector-missing',
  'vector-damaged',
  'orphan',
  'label',
  'index-recall',
] as const
export const finding = z.enum(FINDINGS)
export type Finding = z.infer<typeof finding>

export const verifyReport = z.object({
  /** What was looked at; `hashed`: files whose bytes were read. */
  checked: z.object({ files: count, hashed: count, images: count, vectors: count }),
  repaired: z.array(z.object({ what: finding, count })),
  /** At most 1,000 of each kind; `problemCount` counts all. */
  problems: z.array(z.object({ what: finding, path: z.string().nullable(), message: z.string() })),
  problemCount: count,
  /** Share of the exact scan's answers that the graph finds, or null where no graph serves. */
  recall: z.number().nullable(),
  /** The job that reads again what was lost, or null. */
  indexJobId: id.nullable(),
})
export type VerifyReport = z.infer<typeof verifyReport>

export const exportReport = z.object({ path: z.string(), bytes: count, folders: count, files: count, images: count })
export type ExportReport = z.infer<typeof exportReport>

export const importReport = z.object({
  /** Where each folder of the file came to lie; offline where there is no such folder here yet. */
  folders: z.array(z.object({ from: z.string(), path: z.string(), offline: z.boolean() })),
  /** File rows that were added, and those whose paths were known here. */
  files: count,
  knownFiles: count,
  /** Pictures that were added, and those that were here already. */
  images: count,
  knownImages: count,
  vectors: count,
  decisions: count,
  /** The job that compares the folders with the disk, or null. */
  indexJobId: id.nullable(),
})
export type ImportReport = z.infer<typeof importReport>

/** What a finished job has to say beyond its counts. */
export const jobReport = z.object({
  job,
  index: z
    .object({
      scanned: count,
      indexed: count,
      unchanged: count,
      moved: count,
      removed: count,
      failed: z.array(z.object({ path: z.string(), code: z.enum(ERROR_CODES), message: z.string() })),
    })
    .optional(),
  /** The pictures so far, in order: also while the job runs. Of a long queue, `jobs.results` gives pages. */
  denoise: z.array(denoiseResult).optional(),
  measure: measurement.optional(),
  verify: verifyReport.optional(),
  exported: exportReport.optional(),
  imported: importReport.optional(),
  /** Bytes of the library before and after. */
  compact: z.object({ before: count, after: count }).optional(),
})
export type JobReport = z.infer<typeof jobReport>

// ---------------------------------------------------------------- App

export const modelInfo = z.object({
  id: z.string(),
  kind: z.enum(['denoiser', 'estimator', 'encoder', 'decoder']),
  tier: tier.nullable(),
  bytes: count,
  sha256: z.string(),
  licence: z.string(),
  /** Verified against the manifest when loaded. */
  state: z.enum(['unloaded', 'ready', 'failed']),
})
export type ModelInfo = z.infer<typeof modelInfo>

export const appInfo = z.object({
  version: z.string(),
  host: z.enum(['electron', 'browser', 'node']),
  platform: z.string(),
  libraryDir: z.string(),
  readOnly: z.boolean(),
  threads: z.number(),
  models: z.array(modelInfo),
  /** Extensions (with dot, lower case) that the library reads. */
  extensions: z.array(z.string()),
})
export type AppInfo = z.infer<typeof appInfo>

/** One level of the server-side picker. */
export const pickerListing = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  entries: z.array(
    z.object({ name: z.string(), path: z.string(), kind: z.enum(['folder', 'picture', 'library']), bytes: count.nullable() }),
  ),
  /** How many pictures lie directly in this folder. */
  pictures: count,
  places: z.array(z.object({ name: z.string(), path: z.string() })),
})
export type PickerListing = z.infer<typeof pickerListing>

export { count, filePath, id }
