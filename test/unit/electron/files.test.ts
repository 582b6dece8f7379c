import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { appRequest, mediaPath, rendererFile } from '../../../electron/policy/files.ts'

const root = path.resolve('/opt/lucidex/dist/renderer')

describe('rendererFile', () => {
  it('serves the page and its assets with their types', () => {
    expect(rendererFile('lucidex://app/', root)).toEqual({
      kind: 'file',
      file: path.join(root, 'index.html'),
      contentType: 'text/html; charset=utf-8',
    })
    expect(rendererFile('lucidex://app/assets/index-1a2b.js?v=1', root)).toMatchObject({
      file: path.join(root, 'assets', 'index-1a2b.js'),
      contentType: 'text/javascript; charset=utf-8',
    })
    expect(rendererFile('lucidex://app/a%20b.css', root)?.file).toBe(path.join(root, 'a b.css'))
  })

  it.each([
    'lucidex://app/../package.json',
    'lucidex://app/%2e%2e/package.json',
    'lucidex://app/assets/..%2f..%2f..%2fpackage.json',
    'lucidex://app/..%5c..%5cpackage.json',
    'lucidex://app/%00.html',
    'lucidex://app/%E0%A4%A.html',
    'lucidex://evil/index.html',
    'https://app/index.html',
  ])('never leaves its folder for %s', (url) => {
    const answer = rendererFile(url, root)
    // URL parsing drops plain dot segments: what is left must still lie inside.
    if (answer) expect(path.relative(root, answer.file)).not.toMatch(/^\.\./)
    else expect(answer).toBeNull()
  })

  it('refuses encoded separators that climb out, and a sibling whose name begins alike', () => {
    expect(rendererFile('lucidex://app/assets/..%2f..%2f..%2fpackage.json', root)).toBeNull()
    expect(rendererFile('lucidex://app/..%2frenderer-other/x.js', root)).toBeNull()
    expect(rendererFile('lucidex://app/..%5c..%5cpackage.json', root)).toBeNull()
  })

  it('serves only what a window loads', () => {
    expect(rendererFile('lucidex://app/secrets.env', root)).toBeNull()
    expect(rendererFile('lucidex://app/', root)).not.toBeNull()
  })
})

describe('mediaPath', () => {
  it('hands over the path alone, and only of the app', () => {
    expect(mediaPath('lucidex://app/media/tile/s1/2/0/64?x=1')).toBe('/media/tile/s1/2/0/64')
    expect(mediaPath('lucidex://app/mediathek/1')).toBeNull()
    expect(mediaPath('lucidex://app/media/../index.html')).toBeNull()
    expect(mediaPath('https://app/media/thumbnail/1/a')).toBeNull()
  })
})

describe('appRequest', () => {
  it('sorts media, files and nothing', () => {
    expect(appRequest('lucidex://app/media/thumbnail/1/a', root)).toEqual({ kind: 'media', path: '/media/thumbnail/1/a' })
    expect(appRequest('lucidex://app/index.html', root).kind).toBe('file')
    expect(appRequest('lucidex://app/no-such-type', root)).toEqual({ kind: 'none' })
  })
})
