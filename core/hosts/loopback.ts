import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { decode, encode } from '@msgpack/msgpack'
import { WebSocketServer, type WebSocket } from 'ws'
import { MEDIA_PREFIX, UPLOAD_MAX_BYTES, type Transport } from '../contract/index.ts'
import type { Engine } from '../engine.ts'
import { serve } from '../rpc/serve.ts'

export interface LoopbackOptions {
  /** 0 picks a free port. */
  port?: number
  /** The built renderer. */
  rendererDir: string
}

export interface LoopbackHost {
  /** Opens the app: carries the one-time token. */
  url: string
  port: number
  close(): Promise<void>
}

/**
 * "Who may talk to the loopback host". Any page of any site can send requests to 127.0.0.1, and a
 * hostile name can resolve to it. So: the Host header must be ours (DNS rebinding), an Origin header
 * must be ours (cross-site requests, WebSockets), and everything but the entry needs the session
 * cookie, which is given once for the token in the URL and is never sent across sites.
 */
const COOKIE = 'lucidex'

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.map': 'application/json',
}

/** Serves the engine and the window to a browser on this machine: HTTP for pages and pictures, a WebSocket for calls and events. */
export async function startLoopback(engine: Engine, options: LoopbackOptions): Promise<LoopbackHost> {
  const session = randomBytes(24).toString('base64url')
  let entryToken: string | null = randomBytes(24).toString('base64url')
  const rendererDir = path.resolve(options.rendererDir)
  let port = 0

  const isOurs = (request: IncomingMessage) => {
    const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
    const { host, origin } = request.headers
    if (!host || !hosts.includes(host)) return false
    return origin === undefined || hosts.some((name) => origin === `http://${name}`)
  }
  const hasSession = (request: IncomingMessage) => sameSecret(cookieOf(request), session)

  const server = createServer((request, response) => {
    respond(request, response).catch((error: unknown) => {
      if (!response.headersSent) plain(response, 500, error instanceof Error ? error.message : String(error))
      else response.destroy()
    })
  })

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('X-Content-Type-Options', 'nosniff')
    response.setHeader('Referrer-Policy', 'no-referrer')
    response.setHeader('Cross-Origin-Resource-Policy', 'same-origin')
    if (!isOurs(request)) return plain(response, 403, 'Not from here')
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(response, 405, 'Only GET')
    const url = new URL(request.url ?? '/', `http://127.0.0.1:${port}`)

    const given = url.searchParams.get('token')
    if (url.pathname === '/' && given !== null && entryToken !== null && sameSecret(given, entryToken)) {
      entryToken = null
      response.setHeader('Set-Cookie', `${COOKIE}-${port}=${session}; HttpOnly; SameSite=Strict; Path=/`)
      response.writeHead(303, { Location: '/' }).end()
      return
    }
    if (!hasSession(request)) return plain(response, 403, 'Open Lucidex with the address that it printed: the token in it is used once.')
    if (url.pathname.startsWith(MEDIA_PREFIX)) return sendMedia(url.pathname, response)
    return sendFile(url.pathname, response)
  }

  async function sendMedia(pathname: string, response: ServerResponse): Promise<void> {
    const { status, headers, body } = await engine.media(pathname)
    response.writeHead(status, { ...headers, 'Content-Length': body.byteLength }).end(body)
  }

  async function sendFile(pathname: string, response: ServerResponse): Promise<void> {
    const file = path.resolve(rendererDir, `.${pathname === '/' ? '/index.html' : decodeURIComponent(pathname)}`)
    const inside = file.startsWith(rendererDir + path.sep)
    const info = inside ? await stat(file).catch(() => null) : null
    if (!info?.isFile()) return plain(response, 404, 'Not found')
    const immutable = pathname.startsWith('/assets/')
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES[path.extname(file)] ?? 'application/octet-stream',
      'Content-Length': info.size,
      'Cache-Control': immutable ? 'private, max-age=31536000, immutable' : 'no-cache',
    })
    createReadStream(file).pipe(response)
  }

  // Room for the largest upload and its envelope.
  const sockets = new WebSocketServer({ noServer: true, maxPayload: UPLOAD_MAX_BYTES + 65536 })
  server.on('upgrade', (request, socket, head) => {
    const origin = request.headers.origin
    if (request.url !== '/engine' || origin === undefined || !isOurs(request) || !hasSession(request)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => void serve(engine, socketTransport(client)))
  })

  port = await listen(server, options.port ?? 0)

  function cookieOf(request: IncomingMessage): string {
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='))
    return pairs.find(([name]) => name === `${COOKIE}-${port}`)?.[1] ?? ''
  }

  return {
    url: `http://127.0.0.1:${port}/?token=${entryToken}`,
    port,
    async close() {
      for (const client of sockets.clients) client.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A WebSocket as the engine's transport: MessagePack in binary frames, so that bytes travel as bytes. */
export function socketTransport(socket: WebSocket): Transport {
  return {
    post(message) {
      if (socket.readyState === socket.OPEN) socket.send(encode(message, { ignoreUndefined: true }))
    },
    onMessage(listener) {
      socket.on('message', (data: Buffer, isBinary) => {
        if (!isBinary) return
        let message: unknown
        try {
          message = decode(data)
        } catch {
          socket.close(1003, 'not MessagePack')
          return
        }
        listener(message)
      })
    },
    onClose(listener) {
      socket.on('close', listener)
      socket.on('error', () => socket.terminate())
    },
    close: () => socket.close(),
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' }).end(text)
}

function sameSecret(given: string, secret: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(secret)]
  return a.length === b.length && timingSafeEqual(a, b)
}
