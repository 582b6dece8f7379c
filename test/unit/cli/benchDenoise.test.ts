import { join } from 'node:path'
import { expect, test } from 'vitest'
import { denoiseMarkdown, FFDNET } from '../../../cli/bench/denoiseTable.ts'
import type { GaussianReport } from '../../../cli/bench/denoise.ts'
import { main } from '../../../cli/main.ts'
import { writePicture } from '../../../core/images/index.ts'
import { temporaryFolder } from '../../support/pictures.ts'
import { makePicture } from '../images/samples.ts'

async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const io = {
    print: (text: string) => void out.push(text),
    note: (text: string) => void err.push(text),
    progress: () => {},
    env: {},
    onInterrupt: () => () => {},
  }
  const status = await main(['bench', 'denoise', ...args], io)
  return { status, out: out.join('\n'), err: err.join('\n') }
}

test('a folder of clean pictures: noise goes, a speed is told or refused with its reason, a missing FFDNet is said', async () => {
  const folder = await temporaryFolder()
  await writePicture(makePicture(96, 72, 3, 8, 0), join(folder, 'a.png'), { format: 'png', bitDepth: 'keep', quality: 90 })
  const { status, out, err } = await run(
    '--data',
    folder,
    '--sigma',
    '25',
    '--model',
    'fast',
    '--ffdnet',
    join(folder, 'none.mat'),
    '--json',
  )
  expect(status).toBe(0)
  expect(err).toContain('FFDNET IS LEFT OUT')
  const report = JSON.parse(out)
  expect(report).toMatchObject({ images: 1, perImage: [{ name: 'a.png' }], threads: expect.any(Number) })
  expect(report.psnr).toBeGreaterThan(report.noisyPsnr + 3)
  expect(report.ssim).toBeGreaterThan(report.noisySsim)
  if (report.secondsPerMegapixel === null) expect(report.speedRefused).toMatch(/load|other work/)
  else expect(report.secondsPerMegapixel).toBeGreaterThan(0)
})

test.each([
  [[], 'needs one of'],
  [['--data', 'x', '--speed'], 'needs one of'],
  [['--table', '--only', 'cbsd68,kodak'], 'not "kodak"'],
  [['--speed', '--only', 'speed'], '--only goes with --table'],
  [['--data', 'x', '--sigma', '80'], '--sigma'],
])('bad usage is said: %j', async (args, words) => {
  const { status, err } = await run(...args)
  expect(status).toBe(2)
  expect(err).toContain(words)
})

test('the table: figures beside each other, published ones only beside a whole set', () => {
  const scores = (psnr: number) => ({ psnr, ssim: 0.9, perImage: [] })
  const report = (images: number): GaussianReport => ({
    images,
    results: [15, 25, 50].map((sigma) => ({ sigma, noisy: scores(20), denoised: { best: scores(40 - sigma / 10), [FFDNET]: scores(30) } })),
  })
  const whole = denoiseMarkdown({ cbsd68: report(68), kodak24: report(24), models: { best: 'abcdef0123456789' } })
  expect(whole).toContain('| best | 38.50 / 37.50 / 35.00 | 38.50 / 37.50 / 35.00 |')
  expect(whole).toContain('| FFDNet, measured here | 30.00 / 30.00 / 30.00 |')
  expect(whole).toContain('CBM3D')
  expect(whole).toContain('best abcdef012345')
  expect(denoiseMarkdown({ cbsd68: report(4) })).not.toContain('CBM3D')
})
