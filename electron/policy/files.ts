import path from 'node:path'
import { MEDIA_PREFIX } from '../../core/contract/media.ts'
import { isTrustedSender } from './origin.ts'

/** What a URL of the app's scheme asks for. */
export type AppRequest = { kind: 'media'; path: string } | { kind: 'file'; file: string; contentType: string } | { kind: 'none' }

const CONTENT_TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
}

/** Sorts a request: a picture of the engine, a file of the built window under `rendererDir`, or nothing that exists. */
export function appRequest(url: string, rendererDir: string): AppRequest {
  const media = mediaPath(url)
  if (media !== null) return { kind: 'media', path: media }
  return rendererFile(url, rendererDir) ?? { kind: 'none' }
}

/** The path under /media/ that the engine is asked for, or null. Dot segments never reach it: URL parsing resolved them. */
export function mediaPath(url: string): string | null {
  if (!isTrustedSender(url)) return null
  const { pathname } = new URL(url)
  return pathname.startsWith(MEDIA_PREFIX) ? pathname : null
}

/** The file of the built window that a URL names, or null: none outside `rendererDir`, none of a type that a window does not load. */
export function rendererFile(url: string, rendererDir: string): { kind: 'file'; file: string; contentType: string } | null {
  if (!isTrustedSender(url)) return null
  const { pathname } = new URL(url)
  const relative = decodePath(pathname === '/' ? '/index.html' : pathname)
  if (relative === null) return null
  const root = path.resolve(rendererDir)
  const file = path.join(root, relative)
  if (!file.startsWith(root + path.sep)) return null
  const contentType = CONTENT_TYPES[path.extname(file).toLowerCase()]
  return contentType === undefined ? null : { kind: 'file', file, contentType }
}

/** Null for escapes that do not decode, for NUL, and for a backslash: on Windows it separates folders. */
function decodePath(pathname: string): string | null {
  try {
    const decoded = decodeURIComponent(pathname)
    return /[\0\\]/.test(decoded) ? null : decoded
  } catch {
    return null
  }
}
