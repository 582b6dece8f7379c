import { readFile } from 'node:fs/promises'
import { protocol } from 'electron'
import { CONTENT_SECURITY_POLICY } from './policy/csp.ts'
import { appRequest } from './policy/files.ts'
import type { MediaBroker } from './policy/mediaBroker.ts'
import { APP_SCHEME } from './policy/origin.ts'

/** Must run before the app is ready, once. Standard and secure: pages get an origin, storage and the clipboard. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true, codeCache: true } },
  ])
}

const HEADERS = { 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', 'Cross-Origin-Resource-Policy': 'same-origin' }

/** Serves the window's files from `rendererDir` and, under /media/, pictures from the engine: one origin for both. */
export function serveApp(rendererDir: string, media: MediaBroker): void {
  protocol.handle(APP_SCHEME, async ({ url, method }) => {
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Only GET')
    const wanted = appRequest(url, rendererDir)
    if (wanted.kind === 'media') {
      const { status, headers, body } = await media.fetch(wanted.path)
      return new Response(body as Uint8Array<ArrayBuffer>, { status, headers: { ...headers, ...HEADERS } })
    }
    if (wanted.kind === 'none') return plain(404, 'Not found')
    try {
      const headers = { 'Content-Type': wanted.contentType, 'Content-Security-Policy': CONTENT_SECURITY_POLICY, ...HEADERS }
      return new Response(await readFile(wanted.file), { headers })
    } catch {
      return plain(404, 'Not found')
    }
  })
}

function plain(status: number, text: string): Response {
  return new Response(text, { status, headers: { 'Content-Type': 'text/plain; charset=utf-8', ...HEADERS } })
}
