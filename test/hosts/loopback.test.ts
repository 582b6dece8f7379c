/** Who may talk to the loopback host. */
import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../core/engine.ts'
import { startLoopback, type LoopbackHost } from '../../core/hosts/loopback.ts'
import { temporaryFolder } from '../support/pictures.ts'
import { sessionCookie, socketClient } from '../support/transports.ts'

let host: LoopbackHost
let cookie: string
let origin: string

beforeAll(async () => {
  const root = await temporaryFolder()
  await writeFile(path.join(root, 'secret.txt'), 'not served')
  const rendererDir = path.join(root, 'renderer')
  await (await import('node:fs/promises')).mkdir(rendererDir)
  await writeFile(path.join(rendererDir, 'index.html'), '<!doctype html><title>Lucidex</title>')
  const engine = {
    media: async () => ({ status: 200, headers: { 'Content-Type': 'image/png' }, body: Buffer.from('picture') }),
    onAny: () => () => {},
    call: async () => ({}),
  } as unknown as Engine
  host = await startLoopback(engine, { rendererDir })
  origin = `http://127.0.0.1:${host.port}`
  cookie = await sessionCookie(host.url)
})

afterAll(() => host.close())

/** A raw request: fetch would not let us forge Host or keep `..` in a path. */
function get(pathname: string, headers: Record<string, string> = {}, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port: host.port, path: pathname, method, headers }, (response) => {
      let body = ''
      response.on('data', (chunk) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

describe('the loopback host', () => {
  it('serves pages and pictures to its own session', async () => {
    expect(await get('/', { Cookie: cookie })).toMatchObject({ status: 200, body: expect.stringContaining('Lucidex') })
    expect(await get('/media/thumbnail/1/x', { Cookie: cookie })).toEqual({ status: 200, body: 'picture' })
  })

  it('serves nothing without the cookie', async () => {
    expect((await get('/')).status).toBe(403)
    expect((await get('/media/thumbnail/1/x')).status).toBe(403)
    expect((await get('/', { Cookie: `${cookie}x` })).status).toBe(403)
  })

  it('takes its token once', async () => {
    const used = new URL(host.url)
    expect((await get(used.pathname + used.search)).status).toBe(403)
    expect((await get('/?token=wrong')).status).toBe(403)
  })

  it('refuses other names for this machine and other origins', async () => {
    expect((await get('/', { Cookie: cookie, Host: `evil.example:${host.port}` })).status).toBe(403)
    expect((await get('/', { Cookie: cookie, Origin: 'http://evil.example' })).status).toBe(403)
    expect((await get('/', { Cookie: cookie, Origin: `http://127.0.0.1:${host.port + 1}` })).status).toBe(403)
  })

  it('refuses a WebSocket without cookie, without origin, or from another origin', async () => {
    await expect(socketClient(host.port, { Origin: origin })).rejects.toThrow('403')
    await expect(socketClient(host.port, { Cookie: cookie })).rejects.toThrow('403')
    await expect(socketClient(host.port, { Cookie: cookie, Origin: 'http://evil.example' })).rejects.toThrow('403')
    const accepted = await socketClient(host.port, { Cookie: cookie, Origin: origin })
    accepted.close()
  })

  it('does not leave the renderer’s folder', async () => {
    for (const pathname of ['/../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/..%5csecret.txt', '/%00']) {
      const answer = await get(pathname, { Cookie: cookie })
      expect(answer.body).not.toContain('not served')
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
  })

  it('answers to GET alone', async () => {
    expect((await get('/', { Cookie: cookie }, 'POST')).status).toBe(405)
  })
})
