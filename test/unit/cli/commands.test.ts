import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Io } from '../../../cli/io.ts'
import { main } from '../../../cli/main.ts'
import { createRandom } from '../../../core/random.ts'

let folder: string
let library: string
let pictures: string

/** Runs a command line in this process, on the test's library; `interrupt` is called by Ctrl-C's stand-in. */
async function run(args: string[], options: { onProgress?: (interrupt: () => void) => void } = {}) {
  const out: string[] = []
  const err: string[] = []
  const listeners = new Set<() => void>()
  const io: Io = {
    print: (text) => out.push(text),
    note: (text) => err.push(text),
    progress: () => options.onProgress?.(() => listeners.forEach((listener) => listener())),
    env: { LUCIDEX_LIBRARY: library },
    onInterrupt(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const status = await main(args, io)
  return { status, out: out.join('\n'), err: err.join('\n'), json: () => JSON.parse(out.join('\n')) }
}

/** Blotches of colour that a hash or an encoder tells apart. */
function blotches(seed: number, width = 160, height = 120) {
  const random = createRandom(seed)
  const coarse = Buffer.from(Array.from({ length: 6 * 5 * 3 }, () => random.integer(256)))
  return sharp(coarse, { raw: { width: 6, height: 5, channels: 3 } }).resize(width, height, { fit: 'fill', kernel: 'cubic' })
}

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'lucidex-commands-'))
  library = path.join(folder, 'library')
  pictures = path.join(folder, 'pictures')
  await mkdir(path.join(pictures, 'inner'), { recursive: true })
  for (let index = 0; index < 6; index++)
    await blotches(index)
      .jpeg()
      .toFile(path.join(pictures, index < 3 ? '' : 'inner', `${index}.jpg`))
  await writeFile(path.join(pictures, 'letter.jpg'), 'Dear Sir or Madam')
})
afterAll(() => rm(folder, { recursive: true }))

describe('a library that is not there', () => {
  it.each([['status'], ['search', 'x.jpg']])('is named by %s', async (...args) => {
    const { status, err, json } = await run([...args, '--json', '--library', path.join(folder, 'nowhere')])
    expect(status).toBe(1)
    expect(err).toContain('nowhere')
    expect(json().error.message).toContain('nowhere')
    expect(await readdir(folder)).not.toContain('nowhere')
  })
})

describe('index, status and search', () => {
  it('index reads a folder and names what failed', async () => {
    const { status, json } = await run(['index', pictures, '--json'])
    const report = json()
    expect(status).toBe(1)
    expect(report).toMatchObject({ scanned: 7, indexed: 6, unchanged: 0, moved: 0, removed: 0 })
    expect(report.failed).toEqual([{ path: path.join(pictures, 'letter.jpg'), code: 'FORMAT_UNKNOWN', message: expect.any(String) }])
    expect(report.seconds).toBeGreaterThan(0)
    expect(report.imagesPerSecond).toBeGreaterThan(0)
  })

  it('index of what is known, given twice and as a part, reads nothing again', async () => {
    const { status, out, err } = await run(['index', pictures, path.join(pictures, 'inner'), pictures])
    expect(status).toBe(1)
    expect(out).toMatch(/indexed +0\n/)
    expect(err.match(/letter\.jpg/g)).toHaveLength(1)
  })

  it('status counts it', async () => {
    const { status, json } = await run(['status', '--json'])
    expect(status).toBe(0)
    expect(json()).toMatchObject({ files: 7, images: 6, vectors: 6, failed: 1, missing: 0, integrity: 'ok', index: { upToDate: true } })
    const { out } = await run(['status'])
    expect(out).toContain(library)
  })

  it('search finds the file itself, then a worse copy of it', async () => {
    const file = path.join(pictures, 'inner', '4.jpg')
    const same = await run(['search', file, '-k', '3', '--json'])
    expect(same.status).toBe(0)
    expect(same.json().results).toHaveLength(3)
    expect(same.json().results[0]).toMatchObject({ path: file, relation: 'same-file' })
    expect(same.json().results[0].score).toBeCloseTo(1, 3)
    expect(same.json().milliseconds).toBeGreaterThan(0)

    const copy = path.join(folder, 'copy.jpg')
    await sharp(file).resize(100).jpeg({ quality: 30 }).toFile(copy)
    const found = await run(['search', copy])
    expect(found.status).toBe(0)
    const [, best] = found.out.split('\n')
    expect(best).toContain(file)
  })

  it('search names a picture that cannot be read', async () => {
    const { status, json, err } = await run(['search', path.join(pictures, 'letter.jpg'), '--json'])
    expect(status).toBe(1)
    expect(json().error.code).toBe('FORMAT_UNKNOWN')
    expect(err).toContain('letter.jpg')
  })
})

describe('denoise', () => {
  let noisy: string
  beforeAll(async () => {
    noisy = path.join(folder, 'noisy')
    await mkdir(path.join(noisy, 'inner'), { recursive: true })
    const random = createRandom(9)
    for (const name of ['a.png', 'b.png', 'inner/c.png']) {
      const { data, info } = await blotches(3).raw().toBuffer({ resolveWithObject: true })
      for (let at = 0; at < data.length; at++) data[at] = Math.min(255, Math.max(0, Math.round(data[at]! + 20 * random.normal())))
      await sharp(data, { raw: { width: info.width, height: info.height, channels: 3 } })
        .png()
        .toFile(path.join(noisy, name))
    }
    await writeFile(path.join(noisy, 'torn.png'), (await readFile(path.join(noisy, 'a.png'))).subarray(0, 4000))
  })

  it('writes a named file, again and again', async () => {
    const output = path.join(folder, 'one.jpg')
    for (let time = 0; time < 2; time++) {
      const { status, json } = await run(['denoise', path.join(noisy, 'a.png'), '-o', output, '--model', 'fast', '--sigma', '20', '--json'])
      expect(status).toBe(0)
      expect(json().items).toEqual([
        expect.objectContaining({ input: path.join(noisy, 'a.png'), output, width: 160, height: 120, sigmaUsed: 20, status: 'done' }),
      ])
    }
    expect((await sharp(output).metadata()).format).toBe('jpeg')
  })

  it('keeps the tree of a folder, reports what failed and goes on', async () => {
    const output = path.join(folder, 'clean')
    const { status, json } = await run(['denoise', noisy, '-o', output, '--recursive', '--model', 'fast', '--json'])
    expect(status).toBe(1)
    const items: { input: string; status: string; error?: { code: string } }[] = json().items
    expect(items.filter((item) => item.status === 'done')).toHaveLength(3)
    expect(items.filter((item) => item.status === 'failed')).toEqual([expect.objectContaining({ input: path.join(noisy, 'torn.png') })])
    expect((await readdir(output, { recursive: true })).filter((name) => name.endsWith('.png')).sort()).toEqual([
      'a.png',
      'b.png',
      path.join('inner', 'c.png'),
    ])
  })

  it('takes the folders inside only when asked to', async () => {
    const { json } = await run(['denoise', noisy, '-o', path.join(folder, 'flat'), '--model', 'fast', '--json'])
    expect(
      json()
        .items.map((item: { input: string }) => path.relative(noisy, item.input))
        .sort(),
    ).toEqual(['a.png', 'b.png', 'torn.png'])
  })

  it('names outputs by a pattern, leaves out the quiet ones, goes on where it was, and writes a report', async () => {
    const clean = path.join(noisy, '..', 'mixed')
    await mkdir(clean, { recursive: true })
    await copyFile(path.join(noisy, 'a.png'), path.join(clean, 'noisy.png'))
    await sharp({ create: { width: 160, height: 120, channels: 3, background: '#468' } })
      .png()
      .toFile(path.join(clean, 'quiet.png'))
    const output = path.join(folder, 'named')
    const report = path.join(folder, 'report.json')
    const line = ['denoise', clean, '-o', output, '--model', 'fast', '--pattern', '{name} by {tier}', '--only-noisy', 'auto']
    const first = await run([...line, '--report', report, '--on-collision', 'skip'])
    expect(first.status).toBe(0)
    expect(await readdir(output)).toEqual(['noisy by fast.png'])
    expect(JSON.parse(await readFile(report, 'utf8'))).toMatchObject({
      done: 1,
      skipped: 1,
      failed: 0,
      items: [{ status: 'done' }, { status: 'skipped', reason: 'little-noise' }],
    })
    const text = path.join(folder, 'report.txt')
    await run([...line, '--report', text, '--on-collision', 'skip'])
    expect(await readdir(output)).toEqual(['noisy by fast.png'])
    expect(await readFile(text, 'utf8')).toMatch(/^0 denoised .* 2 skipped, 0 failed\n[^]*there already/)
  })

  it('fails where there is nothing to do', async () => {
    const { status, json } = await run(['denoise', path.join(folder, 'nothing.png'), '--json'])
    expect(status).toBe(1)
    expect(json().items ?? [json()]).toEqual([expect.objectContaining({ error: expect.objectContaining({ code: 'FILE_NOT_FOUND' }) })])
  })

  it('stopped by Ctrl-C keeps what is done and exits 130', async () => {
    const many = path.join(folder, 'many')
    await mkdir(many)
    for (let index = 0; index < 40; index++)
      await writeFile(path.join(many, `${String(index).padStart(2, '0')}.png`), await readFile(path.join(noisy, 'a.png')))
    const output = path.join(folder, 'stopped')
    let pressed = false
    const onProgress = (interrupt: () => void) => {
      if (!pressed) setTimeout(interrupt, 400)
      pressed = true
    }
    const { status, json } = await run(['denoise', many, '-o', output, '--model', 'best', '--json'], { onProgress })
    expect(status).toBe(130)
    const { items, interrupted } = json()
    expect(interrupted).toBe(true)
    expect(items.length).toBeLessThan(40)
    const written = await readdir(output).catch(() => [])
    expect(written).toHaveLength(items.filter((item: { status: string }) => item.status === 'done').length)
  })
})

describe('doctor', () => {
  it('checks versions, models and the library', async () => {
    const { status, json } = await run(['doctor', '--json'])
    const report = json()
    expect(report.errors).toEqual([])
    expect([status, report.ok]).toEqual([0, true])
    expect(report.versions).toMatchObject({
      node: process.version,
      sqlite: expect.stringMatching(/^3\./),
      sharp: expect.any(String),
      onnxruntime: expect.any(String),
    })
    expect(report.models.map((model: { kind: string }) => model.kind)).toEqual(expect.arrayContaining(['denoiser', 'encoder']))
    expect(report.models.every((model: { ok: boolean }) => model.ok)).toBe(true)
    expect(report.library).toEqual({ path: library, writable: true })
  })

  it('says what is wrong with a library that cannot be', async () => {
    const file = path.join(folder, 'a-file')
    await writeFile(file, '')
    const { status, json, out } = await run(['doctor', '--json', '--library', path.join(file, 'library')])
    expect(status).toBe(1)
    expect(json().errors.join()).toMatch(/^library: /)
    expect(out).toContain('"writable": false')
  })
})
