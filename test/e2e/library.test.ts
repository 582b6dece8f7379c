/** The main job on a thousand pictures: index, be cut short, go on, find damaged copies. */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import sharp from 'sharp'
import { expect, it } from 'vitest'
import { createEngine, type Engine } from '../../core/engine.ts'
import { nodeDeps, silentLog } from '../../core/hosts/node.ts'
import { sharedData } from '../support/data.ts'
import { MODELS_DIR, settled } from '../support/engine.ts'
import { temporaryFolder } from '../support/pictures.ts'

const open = (libraryDir: string): Promise<Engine> =>
  createEngine({ libraryDir, modelsDir: MODELS_DIR, version: '0.0.0', host: 'node', watch: false }, nodeDeps(silentLog))

const photos = sharedData('retrieval/photos-1000')

it.skipIf(!photos)(
  'indexes 1,000 photographs through a cancel and a restart, and finds 99 % of their quality-10 copies first',
  async () => {
    const libraryDir = path.join(await temporaryFolder(), 'library')

    let engine = await open(libraryDir)
    const first = await engine.api.library.addFolder({ path: photos! })
    let seen = 0
    engine.on('job', (job) => {
      seen = Math.max(seen, job.done)
      if (job.done >= 150 && job.state === 'running') void engine.api.jobs.cancel({ jobId: first.jobId! })
    })
    expect((await settled(engine, first.jobId!)).state).toBe('cancelled')
    const kept = (await engine.api.library.status()).images
    expect(kept).toBeGreaterThanOrEqual(150)
    expect(kept).toBeLessThan(1000)
    await engine.close()

    engine = await open(libraryDir)
    expect((await engine.api.library.status()).images).toBe(kept)
    const { jobId } = await engine.api.jobs.start({ kind: 'index' })
    expect((await settled(engine, jobId)).state).toBe('done')
    const { index } = await engine.api.jobs.report({ jobId })
    // Nothing that was done is done again.
    expect(index).toMatchObject({ scanned: 1000, indexed: 1000 - kept, unchanged: kept })
    expect(await engine.api.library.status()).toMatchObject({ images: 1000, vectors: 1000, pending: 0 })

    let foundFirst = 0
    for (const name of await readdir(photos!)) {
      const original = path.join(photos!, name)
      const copy = await sharp(original).jpeg({ quality: 10 }).toBuffer()
      const query = await engine.api.search.upload({ name, bytes: new Uint8Array(copy) })
      const { results } = await engine.api.search.find({ source: { kind: 'query', id: query.id }, k: 1 })
      if (results[0]?.path === original) foundFirst++
    }
    await engine.close()
    console.log(`quality-10 copies found first: ${foundFirst} of 1000`)
    expect(foundFirst).toBeGreaterThanOrEqual(990)
  },
  300_000,
)
