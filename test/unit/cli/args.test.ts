import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Io } from '../../../cli/io.ts'
import { main } from '../../../cli/main.ts'
import { ROOT } from '../../../cli/paths.ts'
import { byteSize, duration, table } from '../../../cli/table.ts'

/** Runs a command line in this process. */
async function run(...args: string[]) {
  const out: string[] = []
  const err: string[] = []
  const io: Io = { print: (text) => out.push(text), note: (text) => err.push(text), progress() {}, env: {}, onInterrupt: () => () => {} }
  const status = await main(args, io)
  return { status, out: out.join('\n'), err: err.join('\n') }
}

describe('bad usage', () => {
  it.each([
    [[], 'a command is missing'],
    [['paint'], 'no command "paint"'],
    [['constructor'], 'no command "constructor"'],
    [['denoise'], 'at least one picture'],
    [['denoise', 'a.jpg', '--sigma', '80'], '--sigma takes a number from 0 to 75, not "80"'],
    [['denoise', 'a.jpg', '--sigma', 'much'], 'not "much"'],
    [['denoise', 'a.jpg', '--strength', '101'], '--strength takes'],
    [['denoise', 'a.jpg', '--quality', '90.5'], 'whole number'],
    [['denoise', 'a.jpg', '--texture', '200'], '--texture takes'],
    [['denoise', 'a.jpg', '--only-noisy', 'very'], '--only-noisy takes'],
    [['denoise', 'a.jpg', '--pattern', '{size}'], '--pattern: only {name}'],
    [['denoise', 'a.jpg', '--pattern', 'a/b'], 'names no folders'],
    [['denoise', 'a.jpg', '--on-collision', 'merge'], '--on-collision takes'],
    [['denoise', 'a.jpg', '--model', 'huge'], '--model takes one of fast, best, not "huge"'],
    [['denoise', 'a.jpg', '--format', 'bmp'], '--format takes one of'],
    [['denoise', 'a.jpg', '--bit-depth', '12'], '--bit-depth takes one of keep, 8, 16'],
    [['denoise', 'a.jpg', '-o', 'out.png', '--format', 'jpeg'], '--format jpeg does not go with the name out.png'],
    [['denoise', 'a.jpg', 'b.jpg', '-o', 'out.png'], 'give a folder'],
    [['denoise', 'a.jpg', '--loud'], '--loud'],
    [['index'], 'at least one folder'],
    [['search'], 'exactly one picture'],
    [['search', 'a.jpg', 'b.jpg'], 'exactly one picture'],
    [['search', 'a.jpg', '-k', '0'], '-k takes'],
    [['search', 'a.jpg', '--region', '0.5,0.5,0.6,0.5'], '--region takes'],
    [['search', 'a.jpg', '--region', '0,0,,1'], '--region takes'],
    [['status', 'now'], '"now"'],
    [['serve', '--port', '70000'], '--port takes'],
    [['bench'], 'needs to know what'],
    [['bench', 'speed'], 'no bench "speed"'],
    [['bench', 'copies'], '--data'],
    [['bench', 'copies', '--data', '.', '--attacks', 'noise-25,melt'], 'no attack "melt"'],
    [['bench', 'denoise'], 'needs one of --data, --pairs, --clean'],
  ] as [string[], string][])('%j exits 2 and says why', async (args, reason) => {
    const { status, out, err } = await run(...args)
    expect(err).toContain(reason)
    expect([status, out]).toEqual([2, ''])
  })

  it('with --json still prints one document', async () => {
    const { status, out } = await run('search', '--json')
    expect(status).toBe(2)
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'BAD_REQUEST' } })
  })
})

describe('help', () => {
  it.each(['denoise', 'index', 'search', 'status', 'serve', 'doctor', 'bench'])('%s --help tells its options and exits 0', async (name) => {
    const { status, out } = await run(name, '--help')
    expect(status).toBe(0)
    expect(out).toMatch(new RegExp(`^Usage: lucidex ${name}`))
    expect(out).toContain('--json')
  })

  it('names every command', async () => {
    const { status, out } = await run('--help')
    expect(status).toBe(0)
    for (const name of ['denoise', 'index', 'search', 'status', 'serve', 'doctor', 'bench']) expect(out).toContain(`\n  ${name}`)
  })
})

describe('lucidex.mjs', () => {
  const bin = path.join(ROOT, 'cli', 'lucidex.mjs')

  it('runs the command line in this Node', () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, '--version'], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  const old = '/usr/bin/node'
  const version = existsSync(old) ? spawnSync(old, ['--version'], { encoding: 'utf8' }).stdout.trim() : 'none'
  it.skipIf(!/^v(1\d|2[0-3])\./.test(version))(`says in an old Node (${version}) what it needs`, () => {
    const { status, stdout, stderr } = spawnSync(old, [bin, 'status', '--json'], { encoding: 'utf8' })
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(`needs Node 24 or newer; this is ${version}`)
    expect(stderr).toContain('npm run -s lucidex')
  })
})

describe('tables', () => {
  it('align numbers to the right and words to the left', () => {
    expect(
      table([
        ['name', 'share'],
        ['a', '0.5'],
        ['longer', '12.25'],
      ]),
    ).toBe('name    share\na         0.5\nlonger  12.25')
  })

  it('read durations and sizes as people do', () => {
    expect([duration(4.23), duration(59), duration(185)]).toEqual(['4.2 s', '59 s', '3 min 05 s'])
    expect([byteSize(999), byteSize(1000), byteSize(12_345_678)]).toEqual(['999 B', '1.0 kB', '12.3 MB'])
  })
})
