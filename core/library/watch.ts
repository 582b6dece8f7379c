import path from 'node:path'
import type { AsyncSubscription, Event } from '@parcel/watcher'
import type { Log } from '../deps.ts'
import type { IsIgnored } from './ignore.ts'
import { isPicture } from './scan.ts'
import { isHidden } from './walk.ts'

/** Changes are told of when a folder has been quiet for so long, in milliseconds, but no later than… */
const QUIET_MS = 1500
/** …so long after the first. */
const MAX_WAIT_MS = 10_000

interface Watched {
  subscription: AsyncSubscription | undefined
  timer: NodeJS.Timeout | undefined
  since: number
}

export interface FolderWatcherOptions {
  log: Log
  stale(folderId: number): void
  /** Whether files of the library lie below a path. */
  knows(path: string): boolean
  /** What a folder's patterns leave out. */
  ignoring(folderId: number): IsIgnored | undefined
}

/**
 * Follows folders with the system's own means (FSEvents, inotify, ReadDirectoryChangesW). Where these are
 * not to be had, or their limit is reached, a folder is simply not followed: the log says so and the next
 * start finds what has changed.
 *
 * What changed since the last time is found by the scan at the start, not by @parcel/watcher's snapshots:
 * but for FSEvents, whose history may have gaps, they too walk the whole folder and compare sizes and times,
 * so that they would cost a second walk and a second truth.
 */
export class FolderWatcher {
  readonly #options: FolderWatcherOptions
  readonly #watched = new Map<number, Watched>()
  /** Subscriptions being given up. A new one of the same folder waits: the watcher would take it down as well. */
  readonly #leaving = new Map<number, Promise<void>>()

  constructor(options: FolderWatcherOptions) {
    this.#options = options
  }

  isWatching(folderId: number): boolean {
    return this.#watched.get(folderId)?.subscription !== undefined
  }

  async follow(folderId: number, folder: string): Promise<void> {
    if (this.#watched.has(folderId)) return
    const watched: Watched = { subscription: undefined, timer: undefined, since: 0 }
    this.#watched.set(folderId, watched)
    try {
      const { subscribe } = await import('@parcel/watcher')
      await this.#leaving.get(folderId)
      const subscription = await subscribe(folder, (error, events) => {
        if (error) void this.#lose(folderId, folder, error)
        else if (this.#matter(folderId, folder, events)) this.#tellSoon(folderId, watched)
      })
      // It may have been let go of in the meantime.
      if (this.#watched.get(folderId) === watched) watched.subscription = subscription
      else await this.#leave(folderId, subscription)
    } catch (thrown) {
      await this.#lose(folderId, folder, thrown as Error)
    }
  }

  async unfollow(folderId: number): Promise<void> {
    const watched = this.#watched.get(folderId)
    if (!watched) return
    this.#watched.delete(folderId)
    clearTimeout(watched.timer)
    if (watched.subscription) await this.#leave(folderId, watched.subscription)
  }

  async close(): Promise<void> {
    for (const folderId of [...this.#watched.keys()]) await this.unfollow(folderId)
  }

  async #leave(folderId: number, subscription: AsyncSubscription): Promise<void> {
    const left = subscription.unsubscribe().catch(() => undefined)
    this.#leaving.set(folderId, left)
    await left
    if (this.#leaving.get(folderId) === left) this.#leaving.delete(folderId)
  }

  async #lose(folderId: number, folder: string, error: Error): Promise<void> {
    this.#options.log.warn(`${folder} cannot be followed: ${error.message}`)
    await this.unfollow(folderId)
  }

  #matter(folderId: number, folder: string, events: readonly Event[]): boolean {
    const { knows, ignoring } = this.#options
    const isIgnored = ignoring(folderId)
    return events.some((event) => matters(folder, event, { knows, isIgnored }))
  }

  #tellSoon(folderId: number, watched: Watched): void {
    const now = performance.now()
    if (!watched.timer) watched.since = now
    clearTimeout(watched.timer)
    const wait = Math.min(QUIET_MS, Math.max(0, watched.since + MAX_WAIT_MS - now))
    watched.timer = setTimeout(() => {
      watched.timer = undefined
      this.#options.stale(folderId)
    }, wait)
    watched.timer.unref()
  }
}

/**
 * Whether an event may change what the library shows: pictures, and folders that come or go. A folder has no
 * extension, or its files are known. A path that seems to lie outside is spelled otherwise than the folder
 * is (in case, or in Unicode): it matters unless its own name says no.
 */
export function matters(
  folder: string,
  event: Event,
  { knows, isIgnored }: { knows(path: string): boolean; isIgnored?: IsIgnored },
): boolean {
  const name = path.basename(event.path)
  const inside = path.relative(folder, event.path)
  const parts = inside.startsWith('..') ? [name] : inside.split(path.sep)
  if (parts.some(isHidden) || isIgnored?.(event.path, 'file')) return false
  return isPicture(name) || path.extname(name) === '' || (event.type === 'delete' && knows(event.path))
}
