import { z } from 'zod'
import * as s from './schemas.ts'

/** What the engine announces to every client. At most four `job` events a second for each job. */
export const events = {
  job: s.job,
  jobDismissed: z.object({ jobId: s.id }),
  /** Folders, items or counts changed: read again what is shown. At most two a second. */
  libraryChanged: z.object({ revision: s.count }),
  denoiseTile: s.denoiseTile,
  denoiseConfidence: s.denoiseConfidence,
  notice: z.object({ level: z.enum(['info', 'warning', 'error']), message: z.string(), error: s.errorData.optional() }),
} as const

export type EventName = keyof typeof events
export type EventPayload<E extends EventName> = z.output<(typeof events)[E]>
export type EventListener<E extends EventName> = (payload: EventPayload<E>) => void
