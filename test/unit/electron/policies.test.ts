import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { BACKGROUND } from '../../../electron/policy/background.ts'
import { MIN_WIDTH, parseWindowState, windowBounds } from '../../../electron/policy/bounds.ts'
import { exitReason } from '../../../electron/policy/exitReason.ts'
import { libraryDir } from '../../../electron/policy/libraryDir.ts'
import { RESTART_LIMIT, RESTART_WINDOW_MS, restartPolicy } from '../../../electron/policy/restart.ts'

describe('restartPolicy', () => {
  it('grants the limit within a window, then asks, then grants again once the crashes are old', () => {
    let crashes: number[] = []
    const verdicts: boolean[] = []
    for (let i = 0; i <= RESTART_LIMIT; i++) {
      const verdict = restartPolicy(crashes, 1000 + i)
      crashes = verdict.crashes
      verdicts.push(verdict.restart)
    }
    expect(verdicts).toEqual([true, true, true, false])
    expect(restartPolicy(crashes, 1000 + RESTART_WINDOW_MS + RESTART_LIMIT)).toEqual({
      restart: true,
      crashes: [1000 + RESTART_WINDOW_MS + RESTART_LIMIT],
    })
  })
})

describe('windowBounds', () => {
  const screen = { x: 0, y: 0, width: 1920, height: 1040 }
  const second = { x: 1920, y: 0, width: 1280, height: 1024 }
  const left = (x: number, y: number, width = 1200, height = 800) => ({ bounds: { x, y, width, height }, maximized: false })

  it('comes back where it was, also on a second screen', () => {
    expect(windowBounds(left(100, 50), [screen])).toEqual({ x: 100, y: 50, width: 1200, height: 800 })
    expect(windowBounds(left(2000, 50), [screen, second])).toEqual({ x: 2000, y: 50, width: 1200, height: 800 })
  })

  it('lets the system place a window whose screen is gone or whose title cannot be reached', () => {
    expect(windowBounds(left(2000, 50), [screen])).toEqual({ width: 1200, height: 800 })
    expect(windowBounds(left(100, -400), [screen])).toEqual({ width: 1200, height: 800 })
    expect(windowBounds(left(-1190, 50), [screen])).toEqual({ width: 1200, height: 800 })
  })

  it('is never larger than its screen nor smaller than it can be used', () => {
    expect(windowBounds(left(0, 0, 4000, 3000), [screen])).toEqual({ x: 0, y: 0, width: 1920, height: 1040 })
    expect(windowBounds(left(0, 0, 10, 10), [screen]).width).toBe(MIN_WIDTH)
    expect(windowBounds(null, [{ ...screen, width: 1280, height: 720 }])).toEqual({ width: 1280, height: 720 })
  })
})

describe('parseWindowState', () => {
  it('takes what it wrote and nothing else', () => {
    const state = { bounds: { x: 1, y: -2, width: 1000, height: 700 }, maximized: true }
    expect(parseWindowState(JSON.stringify(state))).toEqual(state)
    for (const text of ['', '{', 'null', '[]', '{"bounds":{"x":1}}', '{"bounds":{"x":"1","y":2,"width":3,"height":4}}']) {
      expect(parseWindowState(text), text).toBeNull()
    }
  })
})

describe('exitReason', () => {
  it('names the error that was printed, else the code', () => {
    const stderr = 'warning: slow\nfile:///x.js:3\n  throw 1\n\nTypeError: x is not a function\n    at a (x.js:1:1)\n\nNode.js v24\n'
    expect(exitReason({ code: 1, fatal: null, stderr })).toBe('TypeError: x is not a function (exit code 1)')
    expect(exitReason({ code: 139, fatal: null, stderr: 'indexing\n' })).toBe('It ended with exit code 139.')
  })

  it('tells running out of memory from other ends in V8', () => {
    expect(exitReason({ code: 5, fatal: 'FatalError Reached heap limit Allocation failed', stderr: '' })).toMatch(/ran out of memory/)
    expect(exitReason({ code: 5, fatal: 'FatalError v8::ToLocalChecked', stderr: '' })).toMatch(/inside V8/)
  })
})

describe('libraryDir', () => {
  const from = { env: {}, cwd: path.resolve('/here'), data: path.resolve('/data') }

  it('prefers the argument, then the environment, then the place for data', () => {
    const env = { LUCIDEX_LIBRARY: path.resolve('/env') }
    expect(libraryDir({ ...from, argv: ['app', '--library', 'demo/library'], env })).toBe(path.resolve('/here/demo/library'))
    expect(libraryDir({ ...from, argv: ['app', '--library=demo'] })).toBe(path.resolve('/here/demo'))
    expect(libraryDir({ ...from, argv: ['app'], env })).toBe(path.resolve('/env'))
    expect(libraryDir({ ...from, argv: ['app', '--library'] })).toBe(path.resolve('/data/library'))
  })
})

describe('BACKGROUND', () => {
  it("is the page's own, in both themes", () => {
    const tokens = readFileSync(path.resolve(import.meta.dirname, '../../../renderer/src/ui/tokens.css'), 'utf8')
    const [, light, dark] = /--canvas: light-dark\((#[0-9a-f]+), (#[0-9a-f]+)\)/.exec(tokens) ?? []
    expect(BACKGROUND).toEqual({ light, dark })
  })
})
