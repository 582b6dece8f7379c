import path from 'node:path'
import type { AsyncSubscription, Event } from '@parcel/watcher'
import type { Log } from '../deps.ts'
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

/**
 * Follows folders with the system's own means (FSEvents, inotify, ReadDirectoryChangesW). Where these are
 * not to be had, or their limit is reached, a folder is simply not followed: the log says so and the next
 * start finds what has changed.
 */
export class FolderWatcher {
  readonly #log: Log
  readonly #stale: (folderId: number) => void
  /** Whether files of the library lie below a path. */
  readonly #knows: (path: string) => boolean
  readonly #watched = new Map<number, Watched>()
  /** Subscriptions being given up. A new one of the same folder waits: the watcher would take it down as well. */
  readonly #leaving = new Map<number, Promise<void>>()

  constructor(options: { log: Log; stale: (folderId: number) => void; knows: (path: string) => boolean }) {
    this.#log = options.log
    this.#stale = options.stale
    this.#knows = options.knows
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
        else if (events.some((event) => this.#matters(folder, event))) this.#tellSoon(folderId, watched)
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
    this.#log.warn(`${folder} cannot be followed: ${error.message}`)
    await this.unfollow(folderId)
  }

  /** Pictures, and folders that come or go: a folder has no extension, or its files are known. */
  #matters(folder: string, event: Event): boolean {
    const inside = path.relative(folder, event.path)
    if (inside.split(path.sep).some(isHidden)) return false
    const name = path.basename(event.path)
    return isPicture(name) || path.extname(name) === '' || (event.type === 'delete' && this.#knows(event.path))
  }

  #tellSoon(folderId: number, watched: Watched): void {
    const now = performance.now()
    if (!watched.timer) watched.since = now
    clearTimeout(watched.timer)
    const wait = Math.min(QUIET_MS, Math.max(0, watched.since + MAX_WAIT_MS - now))
    watched.timer = setTimeout(() => {
      watched.timer = undefined
      this.#stale(folderId)
    }, wait)
    watched.timer.unref()
  }
}
