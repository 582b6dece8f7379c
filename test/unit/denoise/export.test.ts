import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { link, mkdir, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, describe, expect, test } from 'vitest'
import { jobSpec, outputSettings, type JobSpecInput } from '../../../core/contract/index.ts'
import { decodeHere } from '../../../core/decoder/index.ts'
import { DenoiseSessions, exportPictures, MemoryJournal, type ExportTools } from '../../../core/denoise/index.ts'
import { readPicture, samplesOf, writePicture } from '../../../core/images/index.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { cameraExif, makePicture, wideGamutProfile } from '../images/samples.ts'
import { HalvingInference, jobContext } from './halving.ts'

type Spec = Extract<JobSpecInput, { kind: 'denoise' }>

let folder: string
let inference: HalvingInference
let tools: Omit<ExportTools, 'journal'>
beforeEach(async () => {
  folder = await temporaryFolder()
  inference = new HalvingInference()
  tools = {
    inference,
    decoder: decodeHere,
    reserveDownload: async (name) => ({ path: join(folder, `id-${name}`), url: (written) => `/media/download/${written}` }),
  }
})

async function picture(name: string, options: { width?: number; bitDepth?: 8 | 16; tags?: object } = {}): Promise<string> {
  const path = join(folder, name)
  await mkdir(join(path, '..'), { recursive: true })
  const made = { ...makePicture(options.width ?? 40, 30, 3, options.bitDepth ?? 8), tags: options.tags ?? {} }
  await writePicture(made, path, { format: 'keep', bitDepth: 'keep', quality: 95 }, { overwrite: true })
  return path
}

interface Change {
  settings?: Partial<Spec['settings']>
  output?: Spec['output']
  destination?: Spec['destination']
  recursive?: boolean
  /** Of an earlier run of the same job. */
  journal?: MemoryJournal
  minSigma?: Spec['minSigma']
  context?: ReturnType<typeof jobContext>
}

async function run(
  paths: string[],
  {
    settings,
    output = {},
    destination = { kind: 'folder', path: join(folder, 'out') },
    recursive = true,
    journal = new MemoryJournal(),
    minSigma,
    context = jobContext(),
  }: Change = {},
) {
  const spec = jobSpec.parse({
    kind: 'denoise',
    sources: paths.map((path) => ({ kind: 'path', path })),
    recursive,
    settings: { tier: 'best', sigma: 20, strength: 100, ...settings },
    output,
    destination,
    minSigma,
  }) as Parameters<typeof exportPictures>[0]['spec']
  const inputs = paths.map((path) => ({ path, name: path.split('/').at(-1)! }))
  await exportPictures({ inputs, spec }, { ...tools, journal }, context)
  return journal.results()
}

describe('what is written', () => {
  test('the denoised samples, at the source’s depth, with its profile and EXIF', async () => {
    const tags = { icc: await wideGamutProfile(), exif: await cameraExif(6) }
    const source = await picture('deep.tiff', { bitDepth: 16, tags })
    const [result] = await run([source])
    expect(result).toMatchObject({ status: 'done', width: 40, height: 30, sigmaUsed: 20, sigmaEstimated: 10 })
    const [before, after] = [await readPicture(source), await readPicture(result!.output!)]
    expect(Array.from(samplesOf(after))).toEqual(Array.from(samplesOf(before), (value) => value >> 1))
    expect(after.bitDepth).toBe(16)
    expect(Buffer.compare(after.tags.icc!, tags.icc)).toBe(0)
    expect(after.tags.exif).toBeDefined()
  })

  test('strength mixes with the original', async () => {
    const source = await picture('a.png')
    const [result] = await run([source], { settings: { strength: 50 } })
    const [before, after] = [await readPicture(source), await readPicture(result!.output!)]
    expect(Array.from(samplesOf(after))).toEqual(Array.from(samplesOf(before), (value) => Math.round(value + ((value >> 1) - value) * 0.5)))
  })

  test('strength 0 in the same format is the same file, in another the same samples; neither needs the network', async () => {
    const source = await picture('a.jpg')
    const [same] = await run([source], { settings: { strength: 0 } })
    expect(Buffer.compare(await readFile(same!.output!), await readFile(source))).toBe(0)
    expect(same).toMatchObject({ width: 40, height: 30 })
    const [other] = await run([source], { settings: { strength: 0 }, output: { format: 'png' } })
    expect(Buffer.compare(Buffer.from((await readPicture(other!.output!)).buffer), Buffer.from((await readPicture(source)).buffer))).toBe(0)
    expect(inference.tiles).toHaveLength(0)
  })

  test('a clean picture is left as it is, and that is said', async () => {
    inference.estimated = 0.8
    const source = await picture('a.jpg')
    const [result] = await run([source], { settings: { sigma: 'auto' } })
    expect(result).toMatchObject({ status: 'done', sigmaEstimated: 0.8, sigmaUsed: 0 })
    expect(result!.notes.join()).toMatch(/clean/)
    expect(Buffer.compare(await readFile(result!.output!), await readFile(source))).toBe(0)
  })

  test('auto uses the estimate', async () => {
    const [result] = await run([await picture('a.png')], { settings: { sigma: 'auto' } })
    expect(result).toMatchObject({ sigmaEstimated: 10, sigmaUsed: 10 })
    expect(inference.tiles.map(({ sigma }) => typeof sigma === 'object' && [...new Set(sigma.sigma)])).toEqual([[expect.closeTo(12.15, 2)]])
  })

  test('a finished preview is not computed again', async () => {
    const source = await picture('a.png')
    tools.sessions = new DenoiseSessions(inference, decodeHere)
    const session = await tools.sessions.open({ path: source, name: 'a' })
    await tools.sessions.preview({ kind: 'denoise-preview', sessionId: session.id, tier: 'best', sigma: 20 }, jobContext(), () => {})
    const used = inference.tiles.length
    const [result] = await run([source], { settings: { strength: 80 } })
    expect(result!.status).toBe('done')
    expect(inference.tiles).toHaveLength(used)
  })

  test('16 bits asked of JPEG fails that picture before any work is done', async () => {
    const [result] = await run([await picture('a.png', { bitDepth: 16 })], { output: { format: 'jpeg', bitDepth: '16' } })
    expect(result).toMatchObject({ status: 'failed', error: { code: 'BIT_DEPTH_UNSUPPORTED', path: join(folder, 'a.png') } })
    expect(inference.tiles).toHaveLength(0)
  })

  test('a GIF becomes TIFF, which is said', async () => {
    const path = join(folder, 'a.gif')
    await sharp({ create: { width: 20, height: 20, channels: 3, background: '#357' } })
      .gif()
      .toFile(path)
    const [result] = await run([path])
    expect(result!.output).toBe(join(folder, 'out', 'a.tiff'))
    expect(result!.notes).toEqual(['GIF is not written: saved as TIFF.'])
  })
})

describe('where it is written', () => {
  test('a folder keeps its tree; without `recursive` only its own pictures', async () => {
    for (const name of ['in/a.png', 'in/sub/b.jpg', 'in/sub/deep/c.webp', 'in/.hidden/d.png', 'in/notes.txt.png']) await picture(name)
    await writeFile(join(folder, 'in/readme.txt'), 'not a picture')
    const results = await run([join(folder, 'in')])
    const below = join(folder, 'out')
    expect(results.map(({ output }) => output)).toEqual(
      ['a.png', 'notes.txt.png', 'sub/b.jpg', 'sub/deep/c.webp'].map((name) => join(below, name)),
    )
    expect(await run([join(folder, 'in')], { recursive: false })).toHaveLength(2)
  })

  test('results inside the source folder are not denoised again', async () => {
    await picture('in/a.png')
    const destination = { kind: 'folder', path: join(folder, 'in/out') } as const
    await run([join(folder, 'in')], { destination })
    expect(await run([join(folder, 'in')], { destination })).toHaveLength(1)
    await run([join(folder, 'in')], { destination: { kind: 'beside' }, recursive: false })
    expect(await run([join(folder, 'in')], { destination: { kind: 'beside' }, recursive: false })).toHaveLength(1)
  })

  test('beside: under a new name', async () => {
    const [result] = await run([await picture('My.Photo.JPG')], { destination: { kind: 'beside' } })
    expect(result!.output).toBe(join(folder, 'My.Photo_denoised.JPG'))
  })

  test('download: by URL', async () => {
    const [result] = await run([await picture('a.png')], { destination: { kind: 'download' }, output: { format: 'jpeg' } })
    expect(result).toMatchObject({ output: null, url: `/media/download/${join(folder, 'id-a_denoised.jpg')}` })
  })

  test('several pictures do not fit one file', async () => {
    const sources = [await picture('a.png'), await picture('b.png')]
    await expect(run(sources, { destination: { kind: 'file', path: join(folder, 'one.png') } })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
  })

  test('two pictures of one name never replace each other, even when overwriting', async () => {
    const sources = [await picture('x/a.png'), await picture('y/a.png', { width: 41 }), await picture('z/a.jpg', { width: 42 })]
    const results = await run(sources, { output: { collision: 'overwrite', format: 'png' } })
    expect(results.map(({ output }) => output)).toEqual(['a.png', 'a-2.png', 'a-3.png'].map((name) => join(folder, 'out', name)))
  })
})

describe('when the output is there already', () => {
  test.each([
    ['fail', { status: 'failed', error: { code: 'FILE_EXISTS' } }, ['a.png']],
    ['skip', { status: 'skipped' }, ['a.png']],
    ['rename', { status: 'done' }, ['a-2.png', 'a.png']],
    ['overwrite', { status: 'done' }, ['a.png']],
  ] as const)('%s', async (collision, expected, names) => {
    const source = await picture('a.png')
    await run([source])
    const before = await readFile(join(folder, 'out/a.png'))
    const [result] = await run([source], { output: { collision }, settings: { strength: 50 } })
    expect(result).toMatchObject(expected)
    expect((await readdir(join(folder, 'out'))).sort()).toEqual([...names])
    expect(Buffer.compare(await readFile(join(folder, 'out/a.png')), before) === 0).toBe(collision !== 'overwrite')
  })

  test('a source is never overwritten: not itself, not through a link, not another of the batch', async () => {
    const source = await picture('a.png')
    const other = await picture('in/a.png')
    const hard = join(folder, 'hard.png')
    await link(source, hard)
    const before = await readFile(source)
    for (const path of [source, hard]) {
      const [result] = await run([source], { destination: { kind: 'file', path }, output: { collision: 'overwrite' } })
      expect(result).toMatchObject({ status: 'failed', error: { code: 'FILE_EXISTS' } })
    }
    const results = await run([other, source], { destination: { kind: 'folder', path: folder }, output: { collision: 'overwrite' } })
    expect(results.map(({ status }) => status)).toEqual(['failed', 'failed'])
    expect(Buffer.compare(await readFile(source), before)).toBe(0)
  })
})

describe('a batch', () => {
  test('goes on after failures, each of which is named and coded', async () => {
    inference.failingWidth = 77
    const good = [await picture('a.png'), await picture('z.png')]
    const bad = [join(folder, 'gone.png'), join(folder, 'text.jpg'), join(folder, 'empty.png'), await picture('unlucky.png', { width: 77 })]
    await writeFile(bad[1]!, 'I am not a picture')
    await writeFile(bad[2]!, '')
    const context = jobContext()
    const results = await run([good[0]!, ...bad, good[1]!], { context })
    expect(results.map(({ error }) => error?.code)).toEqual([
      undefined,
      'FILE_NOT_FOUND',
      'FORMAT_UNKNOWN',
      'FILE_EMPTY',
      'INFERENCE_FAILED',
      undefined,
    ])
    expect(results.slice(1, 5).map(({ error }) => error?.path)).toEqual(bad)
    expect(context.changes.at(-1)).toEqual({ done: 2, failed: 4 })
  })

  test('cancelled: keeps what was done; resumed: does the rest only', async () => {
    const sources = await Promise.all(['a', 'b', 'c', 'd'].map((name) => picture(`in/${name}.png`)))
    const journal = new MemoryJournal()
    // Each picture passes two checkpoints: its own and its tile's.
    const cancelled = run([join(folder, 'in')], { journal, context: jobContext((count, context) => count === 6 && context.cancel()) })
    await expect(cancelled).rejects.toThrow()
    expect(journal.results().map(({ input }) => input)).toEqual(sources.slice(0, 2))
    expect(await readdir(join(folder, 'out'))).toEqual(['a.png', 'b.png'])
    inference.tiles = []
    const all = await run([join(folder, 'in')], { journal })
    expect(all.map(({ input }) => input)).toEqual(sources)
    expect(inference.tiles).toHaveLength(2)
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['a.png', 'b.png', 'c.png', 'd.png'])
  })

  test('resumed, what failed is tried again, and what was taken away is made again', async () => {
    inference.failingWidth = 77
    const sources = [await picture('a.png'), await picture('b.png', { width: 77 })]
    const journal = new MemoryJournal()
    expect((await run(sources, { journal })).map(({ status }) => status)).toEqual(['done', 'failed'])
    inference.failingWidth = -1
    await rm(join(folder, 'out/a.png'))
    expect((await run(sources, { journal })).map(({ status }) => status)).toEqual(['done', 'done'])
    expect((await readdir(join(folder, 'out'))).sort()).toEqual(['a.png', 'b.png'])
  })

  test('overlaps: the next picture is read and the last one written while one is denoised', async () => {
    const sources = await Promise.all(['a', 'b', 'c'].map((name) => picture(`${name}.png`)))
    const events: string[] = []
    const estimate = inference.estimateNoise.bind(inference)
    const tile = inference.denoiseTile.bind(inference)
    inference.estimateNoise = async (source) => (events.push('read'), estimate(source))
    inference.denoiseTile = async (request) => {
      events.push('begin')
      await new Promise((resolve) => setTimeout(resolve, 150))
      events.push('end')
      return tile(request)
    }
    const journal = new MemoryJournal()
    const finish = journal.finish.bind(journal)
    journal.finish = (result) => (events.push('written'), finish(result))
    await run(sources, { journal })
    const nth = (event: string, count: number) => events.flatMap((name, index) => (name === event ? [index] : []))[count]!
    for (const index of [0, 1]) {
      expect(nth('read', index + 1)).toBeLessThan(nth('end', index))
      expect(nth('written', index)).toBeLessThan(nth('end', index + 1))
    }
  })

  test('a folder listed twice, or inside another, gives each picture once', async () => {
    await picture('in/a.png')
    await picture('in/sub/b.png')
    expect(await run([join(folder, 'in'), join(folder, 'in/sub'), join(folder, 'in/a.png')])).toHaveLength(2)
  })
})

describe('names', () => {
  test('a pattern is filled in; the extension is the format’s', async () => {
    const source = await picture('holiday/My.Photo.png')
    const [result] = await run([source], {
      settings: { strength: 80, tier: 'fast' },
      output: { pattern: '{folder} {name}-{tier}-{strength}', format: 'tiff' },
    })
    expect(result!.output).toBe(join(folder, 'out', 'holiday My.Photo-fast-80.tif'))
  })

  test.each(['a/b', '{size}', '..\\x', ''])('the pattern "%s" is refused', (pattern) => {
    expect(outputSettings.safeParse({ pattern }).success).toBe(false)
  })

  test('results in the folder of their sources are not taken for sources in a second run', async () => {
    for (const name of ['in/a.png', 'in/b_denoised.png', 'in/sub/c.png']) await picture(name)
    const change: Change = {
      destination: { kind: 'folder', path: join(folder, 'in') },
      output: { pattern: '{name}-denoised', collision: 'rename' },
    }
    expect(await run([join(folder, 'in')], change)).toHaveLength(3)
    const again = await run([join(folder, 'in')], change)
    expect(again.map(({ output }) => output!.slice(folder.length + 4))).toEqual([
      'a-denoised-2.png',
      'b_denoised-denoised-2.png',
      'sub/c-denoised-2.png',
    ])
    expect(await run([join(folder, 'in')], change)).toHaveLength(3)
  })
})

describe('only noisy pictures', () => {
  test('those below the level are skipped, with the reason and the estimate', async () => {
    inference.estimated = 4
    const source = await picture('a.png')
    const [quiet] = await run([source], { minSigma: 5 })
    expect(quiet).toMatchObject({ status: 'skipped', reason: 'little-noise', sigmaEstimated: 4, output: null })
    expect(await run([source], { minSigma: 4 })).toMatchObject([{ status: 'done' }])
    expect(await run([source], { minSigma: 'auto' })).toMatchObject([{ status: 'done' }])
    inference.estimated = 0.5
    expect(await run([source], { minSigma: 'auto' })).toMatchObject([{ status: 'skipped', reason: 'little-noise' }])
    expect(inference.tiles).toHaveLength(2)
  })
})

describe('the files themselves', () => {
  test('a result has its source’s time of modification, copied or denoised', async () => {
    const source = await picture('a.png')
    const time = new Date('2019-05-06T07:08:09Z')
    await utimes(source, time, time)
    for (const strength of [0, 100]) {
      const [result] = await run([source], { settings: { strength } })
      expect((await stat(result!.output!)).mtime).toEqual(time)
    }
  })

  test('a source is not overwritten under another spelling of its path', async () => {
    const source = await picture('in/a.png')
    await symlink(join(folder, 'in'), join(folder, 'alias'))
    const before = await readFile(source)
    const [result] = await run([source], {
      destination: { kind: 'folder', path: join(folder, 'alias') },
      output: { collision: 'overwrite' },
    })
    expect(result).toMatchObject({ status: 'failed', error: { code: 'FILE_EXISTS' } })
    expect(Buffer.compare(await readFile(source), before)).toBe(0)
  })

  test('what a killed process left half written is taken away; what a living one writes is not', async () => {
    const source = await picture('a.png')
    await run([source])
    const { pid } = spawnSync('true')
    const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)
    const [dead, alive, foreign] = [`${host}-${pid}`, `${host}-${process.ppid}`, `00000000-${pid}`].map(
      (owner) => `.a.png.${owner}-0123456789ab.tmp`,
    )
    for (const name of [dead, alive, foreign]) await writeFile(join(folder, 'out', name!), 'part')
    await run([source])
    expect((await readdir(join(folder, 'out'))).sort()).toEqual([foreign, alive, 'a-2.png', 'a.png'].sort())
  })

  test('structure that went with the noise is told', async () => {
    // Halving takes half of all contrast with it.
    const [eaten] = await run([await picture('a.png', { width: 200 })])
    expect(eaten!.structureLoss).toBeGreaterThan(0.3)
    expect(eaten!.notes.join()).toMatch(/structure/i)
    const [less] = await run([join(folder, 'a.png')], { settings: { texture: 100 } })
    expect(less!.structureLoss).toBe(0)
  })
})
