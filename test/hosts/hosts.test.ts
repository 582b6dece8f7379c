/** One suite over every transport: what a window may rely on, whichever host it runs in. */
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectEngine, type EngineClient, type Job } from '../../core/contract/index.ts'
import { createEngine, type Engine } from '../../core/engine.ts'
import { nodeDeps, silentLog } from '../../core/hosts/node.ts'
import { inProcess, loopback, messagePort, type HostUnderTest } from '../support/transports.ts'
import { MODELS_DIR, settled } from '../support/engine.ts'
import { temporaryFolder, writePhotos } from '../support/pictures.ts'

describe.each([
  ['in process', async (engine: Engine) => inProcess(engine)],
  ['MessagePort', async (engine: Engine) => messagePort(engine)],
  ['loopback', async (engine: Engine) => loopback(engine, await emptyRenderer())],
] as const)('%s', (name, start) => {
  let engine: Engine
  let host: HostUnderTest
  let client: EngineClient
  let pictures: string
  let index: Job

  beforeAll(async () => {
    const root = await temporaryFolder()
    pictures = path.join(root, 'pictures')
    await writePhotos(pictures, 12, { width: 480, height: 360 })
    await writeFile(path.join(pictures, 'letter.jpg'), 'Dear reader, this is no picture.')
    engine = await createEngine(
      { libraryDir: path.join(root, 'library'), modelsDir: MODELS_DIR, version: '0.0.0', host: 'node', watch: false },
      nodeDeps(silentLog),
    )
    host = await start(engine)
    client = connectEngine(await host.connect())
    const { jobId } = await client.library.addFolder({ path: pictures })
    index = await settled(client, jobId!)
  }, 60_000)

  afterAll(async () => {
    await host.close()
    await engine.close()
  })

  it('indexes a folder and names what could not be read', async () => {
    expect(index).toMatchObject({ state: 'done', done: 12, failed: 1, total: 13 })
    const { problems } = await client.library.problems({})
    expect(problems).toMatchObject([{ path: path.join(pictures, 'letter.jpg'), error: { code: 'FORMAT_UNKNOWN' } }])
  })

  it('serves a page of the grid and each picture’s thumbnail', async () => {
    const { total, items } = await client.library.items({ sort: 'name', descending: false, limit: 5 })
    expect(total).toBe(12)
    expect(items.map((item) => item.name)).toEqual(['photo-00.jpg', 'photo-01.jpg', 'photo-02.jpg', 'photo-03.jpg', 'photo-04.jpg'])
    const { status, body } = await engine.media(items[0]!.url)
    expect(status).toBe(200)
    expect(await sharp(body).metadata()).toMatchObject({
      format: 'webp',
      width: items[0]!.width > items[0]!.height ? 384 : expect.any(Number),
    })
  })

  it('shows what the index sees of a picture, and how far off that is', async () => {
    const { items } = await client.library.items({ sort: 'name', descending: false, limit: 2 })
    const [first, second] = await Promise.all(items.map(({ id }) => client.search.reconstruction({ id })))
    const { status, body } = await engine.media(first!.url)
    expect(status).toBe(200)
    expect(await sharp(body).metadata()).toMatchObject({ format: 'png', width: 64, height: 64 })
    expect(first!.error).toBeGreaterThan(0)
    expect(first!.error).toBeLessThan(128)
    expect(second!.url).not.toBe(first!.url)
    expect(await client.search.reconstruction({ id: items[0]!.id })).toEqual(first)
    await expect(client.search.reconstruction({ id: 99_999 })).rejects.toMatchObject({ code: 'ITEM_NOT_FOUND' })
  })

  it('finds the original of a damaged copy that arrives as bytes', async () => {
    const damaged = await sharp(path.join(pictures, 'photo-07.jpg')).resize(300).jpeg({ quality: 15 }).toBuffer()
    const query = await client.search.upload({ name: 'pasted.jpg', bytes: new Uint8Array(damaged) })
    expect(query.width).toBe(300)
    const { results } = await client.search.find({ source: { kind: 'query', id: query.id }, k: 3 })
    expect(results).toHaveLength(3)
    expect(results[0]!.path).toBe(path.join(pictures, 'photo-07.jpg'))
    expect(results[0]!.score).toBeGreaterThan(results[1]!.score)
  })

  it('calls equal bytes the same file', async () => {
    const query = await client.search.open({ path: path.join(pictures, 'photo-03.jpg') })
    const { results } = await client.search.find({ source: { kind: 'query', id: query.id }, k: 1 })
    expect(results[0]).toMatchObject({ relation: 'same-file', path: path.join(pictures, 'photo-03.jpg') })
  })

  it('denoises a picture tile by tile and announces every tile', async () => {
    const [item] = (await client.library.items({ sort: 'name', descending: false, limit: 1 })).items
    const session = await client.denoise.open({ source: { kind: 'item', id: item!.id } })
    const covered: number[] = []
    const stop = client.on('denoiseTile', (tile) => covered.push(tile.width * tile.height))
    const { jobId } = await client.jobs.start({ kind: 'denoise-preview', sessionId: session.id, tier: 'fast', sigma: 20 })
    expect(await settled(client, jobId)).toMatchObject({ state: 'done', unit: 'tiles' })
    stop()
    expect(covered.reduce((sum, area) => sum + area, 0)).toBe(session.width * session.height)
  })

  it('sends errors as data, with their code', async () => {
    await expect(client.library.item({ id: 999_999 })).rejects.toMatchObject({ name: 'LucidexError', code: 'ITEM_NOT_FOUND' })
    await expect(client.library.addFolder({ path: '/no/such/folder' })).rejects.toMatchObject({
      code: 'FOLDER_NOT_FOUND',
      path: '/no/such/folder',
    })
    await expect(client.library.items({ limit: -1 })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(client.search.upload({ name: 'x.png', bytes: new Uint8Array([1, 2, 3]) })).rejects.toMatchObject({
      code: 'FORMAT_UNKNOWN',
      path: 'x.png',
    })
  })

  it('lets two clients in and tells both', async () => {
    const other = connectEngine(await host.connect())
    const heard: string[] = []
    client.on('job', (job) => job.state === 'done' && heard.push('first'))
    other.on('job', (job) => job.state === 'done' && heard.push('second'))
    const { jobId } = await other.jobs.start({ kind: 'index' })
    await settled(other, jobId)
    await expect.poll(() => heard.toSorted()).toEqual(['first', 'second'])
    other.close()
  })

  it('fails calls with DISCONNECTED once the channel is gone', async () => {
    if (name === 'in process') return // it has no channel that could go
    const lost = connectEngine(await host.connect())
    await lost.app.info()
    lost.close()
    await expect(lost.app.info()).rejects.toMatchObject({ code: 'DISCONNECTED' })
  })
})

async function emptyRenderer(): Promise<string> {
  const folder = path.join(await temporaryFolder(), 'renderer')
  await mkdir(folder)
  await writeFile(path.join(folder, 'index.html'), '<!doctype html><title>Lucidex</title>')
  return folder
}
