import { spawn } from 'node:child_process'
import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { DenoiseResult } from '../../../core/contract/index.ts'
import { recover, type ExportJournal } from '../../../core/denoise/journal.ts'
import { readPicture, samplesOf, writeFileAtomic, writePicture } from '../../../core/images/index.ts'
import { createRandom } from '../../../core/random.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { makePicture } from '../images/samples.ts'

const COUNT = 60

/** Runs the batch's process; kills it so many milliseconds after so many pictures. Answers its report when it came to its end. */
function runBatch(folder: string, kill?: { pictures: number; milliseconds: number }): Promise<DenoiseResult[] | undefined> {
  return new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'killedBatch.ts')
    const args = ['library', 'in', 'out'].map((name) => join(folder, name))
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (kill && output.split('tile').length > kill.pictures) setTimeout(() => child.kill('SIGKILL'), kill.milliseconds)
    })
    child.on('error', reject)
    child.on('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve(undefined)
      else if (code === 0) resolve(JSON.parse(output.slice(output.lastIndexOf('tile') + 5)))
      else reject(new Error(`the batch ended with ${code}`))
    })
  })
}

test('a batch killed again and again leaves no partial file and does no picture twice', { timeout: 60_000 }, async () => {
  const folder = await temporaryFolder()
  await mkdir(join(folder, 'in'))
  for (let index = 0; index < COUNT; index++) {
    const name = join(folder, 'in', `${String(index).padStart(2, '0')}.png`)
    await writePicture(makePicture(60 + index, 50, 3, 8), name, { format: 'png', bitDepth: 'keep', quality: 90 })
  }
  const random = createRandom(7)
  for (let kills = 0; kills < 5; kills++) {
    expect(await runBatch(folder, { pictures: 1 + random.integer(5), milliseconds: random.integer(25) })).toBeUndefined()
    for (const name of await readdir(join(folder, 'out')).catch(() => [])) {
      if (!name.endsWith('.tmp')) await readPicture(join(folder, 'out', name))
    }
  }
  const report = await runBatch(folder)
  expect(report!.map(({ status }) => status)).toEqual(Array(COUNT).fill('done'))
  const names = await readdir(join(folder, 'out'))
  expect(names.sort()).toEqual(await readdir(join(folder, 'in')).then((inputs) => inputs.sort()))
  for (const name of names) {
    const [before, after] = [await readPicture(join(folder, 'in', name)), await readPicture(join(folder, 'out', name))]
    expect(Array.from(samplesOf(after))).toEqual(Array.from(samplesOf(before), (value) => value >> 1))
  }
})

test.each([
  ['before the new name was given', 'before', false],
  ['between giving the new name and taking the old one', 'between', true],
  ['after it', 'after', true],
] as const)('killed %s: the picture is done only if its output is there', async (_, when, done) => {
  const folder = await temporaryFolder()
  const output = join(folder, 'a.png')
  let temporary = ''
  await writeFileAtomic(output, [Buffer.from('whole')], { overwrite: false, beforeRename: (path) => void (temporary = path) })
  if (when === 'before') {
    await copyFile(output, temporary)
    await rm(output)
  }
  if (when === 'between') await link(output, temporary)
  const result = { input: 'in.png', output, status: 'done' } as DenoiseResult
  const [finished, forgotten]: [string[], string[]] = [[], []]
  const journal = {
    unfinished: () => [{ result, temporary }],
    finish: ({ input }: DenoiseResult) => finished.push(input),
    forget: (input: string) => forgotten.push(input),
  } as unknown as ExportJournal
  await recover(journal)
  expect([finished, forgotten]).toEqual(done ? [['in.png'], []] : [[], ['in.png']])
  expect(await readdir(folder)).toEqual(done ? ['a.png'] : [])
})
