/** The one scheme of the app's pages and pictures, and the one host under it. */
export const APP_SCHEME = 'lucidex'
export const APP_ORIGIN = `${APP_SCHEME}://app`
export const APP_URL = `${APP_ORIGIN}/`

/** Whether a message, a navigation or a permission request comes from a page of the app itself. */
export function isTrustedSender(url: string): boolean {
  if (!URL.canParse(url)) return false
  // The parts are compared, not `origin`: Node calls the origin of every scheme that it does not know "null".
  const { protocol, host, username, password } = new URL(url)
  return protocol === `${APP_SCHEME}:` && host === 'app' && username === '' && password === ''
}

/** Hosts whose pages may be opened in the user's browser from the app. */
const EXTERNAL_HOSTS: ReadonlySet<string> = new Set(['lucidex.app', 'www.lucidex.app'])

/** The URL to hand to the system's browser, or null: only https, only hosts that the app itself links to. */
export function externalUrl(url: string): string | null {
  if (!URL.canParse(url)) return null
  const { protocol, host, username, password, href } = new URL(url)
  if (protocol !== 'https:' || username !== '' || password !== '' || !EXTERNAL_HOSTS.has(host)) return null
  return href
}

/** What pages of the app may ask the system for: to paste a picture and to copy text. */
const PERMISSIONS: ReadonlySet<string> = new Set(['clipboard-read', 'clipboard-sanitized-write'])

export function isPermitted(permission: string, url: string): boolean {
  return PERMISSIONS.has(permission) && isTrustedSender(url)
}
