import type { ErrorCode, Problem } from '$contract'
import { engine } from '../../engine/engine.svelte.ts'
import { explain } from '../../engine/messages.ts'
import { toasts } from '../../ui/toasts.svelte.ts'
import { retry } from './care.ts'
import { PagedList } from './pagedList.svelte.ts'

/** What one call gives back, and what one call takes. */
const MOST_LISTED = 500
const MOST_RETRIED = 10_000

/** The files that failed, of the whole library or one folder, all or by one code. */
export class ProblemsState {
  folderId = $state<number | null>(null)
  code = $state<ErrorCode | null>(null)
  /** Those that were set aside, instead of those that are listed. */
  aside = $state(false)
  /** How many there are of each code, the most frequent first. */
  codes = $state.raw<{ code: ErrorCode; count: number }[]>([])

  readonly list = new PagedList<Problem>(async (offset, limit) => {
    const answer = await engine.api.library.problems({ ...this.#question(), offset, limit })
    this.codes = answer.codes.toSorted((a, b) => b.count - a.count)
    return { total: answer.total, items: answer.problems }
  })

  get all(): number {
    return this.codes.reduce((sum, { count }) => sum + count, 0)
  }

  ask(change: { folderId?: number | null; code?: ErrorCode | null; aside?: boolean }): void {
    Object.assign(this, change)
    this.list.reset()
  }

  refresh(): void {
    this.list.refresh()
    // The last of a code is gone: what is left is shown rather than nothing.
    if (this.code !== null && this.list.total === 0) this.ask({ code: null })
  }

  /** Tries again what is listed. */
  async retryAll(): Promise<void> {
    if (this.code === null && this.folderId === null && !this.aside) return retry()
    try {
      const ids: number[] = []
      const question = this.#question()
      for (let offset = 0; ; offset += MOST_LISTED) {
        const { problems, total } = await engine.api.library.problems({ ...question, offset, limit: MOST_LISTED })
        ids.push(...problems.map((problem) => problem.fileId))
        if (ids.length >= total || problems.length === 0) break
      }
      for (let first = 0; first < ids.length; first += MOST_RETRIED) await retry(ids.slice(first, first + MOST_RETRIED))
    } catch (error) {
      toasts.fail('Could not try again', explain(error))
    }
  }

  #question() {
    const { folderId, code, aside } = this
    return { ...(folderId !== null && { folderId }), ...(code !== null && { code }), ignored: aside }
  }
}
