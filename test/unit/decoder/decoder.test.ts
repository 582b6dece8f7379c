import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createDecoder, decodeHere, type DecoderChild, type PictureDecoder } from '../../../core/decoder/index.ts'
import { spawnNodeDecoder } from '../../../core/decoder/node.ts'
import { silentLog } from '../../../core/hosts/node.ts'
import { samplesOf, writePicture } from '../../../core/images/index.ts'
import { temporaryFolder, writePhotos } from '../../support/pictures.ts'
import { makePicture } from '../images/samples.ts'

const folder = await temporaryFolder()
const entries = {
  good: new URL('../../../core/decoder/main.ts', import.meta.url),
  bad: new URL('./badDecoder.ts', import.meta.url),
}
const limits = { decodeMs: 60_000, readMs: 60_000, memoryBytes: 2 ** 30 }

let photos: string[]
let open: PictureDecoder[] = []
beforeAll(async () => void (photos = await writePhotos(join(folder, 'photos'), 6)))
afterEach(async () => {
  for (const decoder of open.splice(0)) await decoder.close()
})

/** A decoder of one indexing process, unless said otherwise, and every process that it started. */
function decoderOf(entry: URL, options: Partial<Parameters<typeof createDecoder>[0]> = {}) {
  const children: DecoderChild[] = []
  const spawnOne = () => {
    children.push(spawnNodeDecoder(entry))
    return children.at(-1)!
  }
  const decoder = createDecoder({ spawn: spawnOne, log: silentLog, limits, indexers: 1, ...options })
  open.push(decoder)
  return { decoder, children }
}

async function named(name: string): Promise<string> {
  const file = join(folder, name)
  await copyFile(photos[0]!, file)
  return file
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'read',
    (error: { code?: string; path?: string }) => `${error.code} ${error.path}`,
  )

describe('a decoder process', () => {
  test('answers what decoding here answers, for every operation', async () => {
    const { decoder } = decoderOf(entries.good)
    const file = photos[0]!
    const region = { x: 0.1, y: 0.2, width: 0.5, height: 0.5 }
    expect(await decoder.inspect(file)).toEqual(await decodeHere.inspect(file))
    expect(await decoder.readForIndex(file)).toEqual(await decodeHere.readForIndex(file))
    expect(await decoder.readForQuery(file, region)).toEqual(await decodeHere.readForQuery(file, region))
    expect(await decoder.readForSearch(file, region)).toEqual(await decodeHere.readForSearch(file, region))
    expect(Buffer.from(await decoder.readView(file, 100)).equals(await decodeHere.readView(file, 100))).toBe(true)
  })

  test('hands over the samples of a large deep picture in slices, exactly', async () => {
    const file = join(folder, 'deep.png')
    await writePicture(makePicture(1100, 900, 3, 16), file, { format: 'png', bitDepth: '16', quality: 90 })
    const { decoder } = decoderOf(entries.good)
    const [there, here] = [await decoder.readPicture(file), await decodeHere.readPicture(file)]
    expect(there.buffer).toBeInstanceOf(SharedArrayBuffer)
    expect(Buffer.from(samplesOf(there).buffer).equals(Buffer.from(samplesOf(here).buffer))).toBe(true)
    expect({ ...there, buffer: null }).toEqual({ ...here, buffer: null })
  })

  test('answers failures with their code and the file', async () => {
    const { decoder } = decoderOf(entries.good)
    const torn = join(folder, 'torn.jpg')
    await writeFile(torn, Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 4]))
    expect(await code(decoder.readForIndex(torn))).toMatch(/^PICTURE_(TRUNCATED|CORRUPT) .*torn\.jpg$/)
    expect(await code(decoder.readPicture(join(folder, 'absent.jpg')))).toMatch(/^FILE_NOT_FOUND .*absent\.jpg$/)
  })

  test('that has nothing to do is ended, and started again when there is', async () => {
    const { decoder, children } = decoderOf(entries.good, { idleMs: 50 })
    await decoder.readForIndex(photos[0]!)
    await new Promise((done) => children[0]!.onExit(done))
    await decoder.readForIndex(photos[1]!)
    expect(children).toHaveLength(2)
  })
})

describe('a file that brings its process down', () => {
  test('by aborting fails alone; what was read beside it is read', async () => {
    const { decoder } = decoderOf(entries.bad)
    const bad = await named('abort.jpg')
    const files = [photos[1]!, bad, ...photos.slice(2)]
    expect(await Promise.all(files.map((file) => code(decoder.readForIndex(file))))).toEqual(
      files.map((file) => (file === bad ? `DECODER_CRASHED ${bad}` : 'read')),
    )
    expect(await code(decoder.readForIndex(photos[0]!))).toBe('read')
  })

  test('of several processes is found beside the others', async () => {
    const { decoder } = decoderOf(entries.bad, { indexers: 2 })
    const bad = [await named('abort-1.jpg'), await named('abort-2.jpg')]
    const files = [bad[0]!, ...photos.slice(1, 4), bad[1]!, ...photos.slice(4)]
    expect(await Promise.all(files.map((file) => code(decoder.readForIndex(file))))).toEqual(
      files.map((file) => (bad.includes(file) ? `DECODER_CRASHED ${file}` : 'read')),
    )
  })

  test('by holding its loop is given up in time', async () => {
    const { decoder } = decoderOf(entries.bad, { limits: { ...limits, decodeMs: 1000 } })
    const files = [await named('hang.jpg'), photos[1]!]
    const [hung, beside] = await Promise.all(files.map((file) => code(decoder.readForIndex(file))))
    expect(hung).toBe(`DECODE_TIMEOUT ${files[0]}`)
    expect(beside).toBe('read')
  })

  test('by taking memory is ended before the engine minds', async () => {
    const { decoder } = decoderOf(entries.bad, { limits: { ...limits, memoryBytes: 400 * 2 ** 20 } })
    const bad = await named('eat.jpg')
    expect(await code(decoder.readForIndex(bad))).toBe(`PICTURE_TOO_LARGE ${bad}`)
    expect(await code(decoder.readForIndex(photos[0]!))).toBe('read')
  })

  test('is not blamed when the process was killed from outside', async () => {
    const { decoder, children } = decoderOf(entries.bad)
    expect(await code(decoder.readForIndex(await named('once.jpg')))).toBe('read')
    expect(children).toHaveLength(2)
  })
})

describe('the process itself', () => {
  test('that does not start is nobody’s fault: the files may be tried again', async () => {
    const { decoder, children } = decoderOf(new URL('./absent.ts', import.meta.url))
    expect(await Promise.all(photos.map((file) => code(decoder.readForIndex(file))))).toEqual(photos.map((file) => `INTERNAL ${file}`))
    expect(children).toHaveLength(3)
  })

  test('ends with the decoder, and what was asked is cancelled', async () => {
    const { decoder, children } = decoderOf(entries.bad)
    const asked = code(decoder.readForIndex(await named('slow.jpg')))
    await decoder.inspect(photos[0]!)
    const ended = Promise.all(children.map((child) => new Promise((done) => child.onExit(done))))
    await decoder.close()
    expect(await asked).toMatch(/^CANCELLED/)
    await ended
    expect(await code(decoder.inspect(photos[0]!))).toMatch(/^CANCELLED/)
  })

  test.skipIf(process.platform === 'win32')('ends when its engine is killed', async () => {
    const program = `
      import { spawnNodeDecoder } from ${JSON.stringify(resolve('core/decoder/node.ts'))}
      import { createDecoder } from ${JSON.stringify(resolve('core/decoder/index.ts'))}
      const spawn = () => spawnNodeDecoder(new URL(${JSON.stringify(entries.bad.href)}))
      const decoder = createDecoder({ spawn, log: { info() {}, warn() {}, error() {} }, indexers: 1 })
      decoder.readForIndex(${JSON.stringify(await named('slow.jpg'))})
      await decoder.inspect(${JSON.stringify(photos[0])})
      console.log('ready')`
    const engine = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(engine.stdout, 'data')
    const decoders = await childrenOf(engine.pid!)
    expect(decoders).toHaveLength(2)
    engine.kill('SIGKILL')
    await expect.poll(() => decoders.filter(isRunning), { timeout: 5_000 }).toEqual([])
  })
})

async function childrenOf(pid: number): Promise<number[]> {
  const ps = spawn('ps', ['-A', '-o', 'pid=,ppid='], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = (await ps.stdout.setEncoding('utf8').toArray()).join('').trim().split('\n')
  return lines.map((line) => line.trim().split(/\s+/).map(Number)).flatMap(([child, parent]) => (parent === pid ? [child!] : []))
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
