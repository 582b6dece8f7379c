/**
 * Errors travel as data. Every failure that a person can meet has one code of this closed union;
 * what is not foreseen arrives as INTERNAL with its message.
 */
export const ERROR_CODES = [
  // Files and pictures
  'FILE_NOT_FOUND',
  'FILE_NOT_READABLE',
  'FILE_EMPTY',
  'FILE_TOO_LARGE',
  'FILE_EXISTS',
  'FILE_NOT_WRITABLE',
  'NAME_NOT_UTF8',
  'FORMAT_UNKNOWN',
  'FORMAT_UNSUPPORTED',
  'PICTURE_CORRUPT',
  'PICTURE_TRUNCATED',
  'PICTURE_TOO_LARGE',
  'DECODER_CRASHED',
  'DECODE_TIMEOUT',
  'BIT_DEPTH_UNSUPPORTED',
  'DISK_FULL',
  // Library
  'FOLDER_NOT_FOUND',
  'FOLDER_OFFLINE',
  'FOLDER_NOT_READABLE',
  'FOLDER_OVERLAPS',
  'LIBRARY_IN_USE',
  'LIBRARY_FROM_FUTURE',
  'LIBRARY_CORRUPT',
  'ITEM_NOT_FOUND',
  'QUERY_NOT_FOUND',
  'SESSION_NOT_FOUND',
  // Models
  'MODEL_NOT_FOUND',
  'MODEL_CHECKSUM',
  'MODEL_INVALID',
  'INFERENCE_FAILED',
  // Jobs and the wire
  'JOB_NOT_FOUND',
  'JOB_STATE',
  'CANCELLED',
  'BAD_REQUEST',
  'UNKNOWN_PROCEDURE',
  'NOT_SUPPORTED_HERE',
  'DISCONNECTED',
  'INTERNAL',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** An error as it crosses the wire. `path` names the file at fault, where there is one. */
export interface ErrorData {
  code: ErrorCode
  message: string
  path?: string
  details?: Record<string, unknown>
}

/** The one exception class of the engine and its clients: an {@link ErrorData} that can be thrown. */
export class LucidexError extends Error {
  readonly code: ErrorCode
  readonly path?: string
  readonly details?: Record<string, unknown>

  constructor(code: ErrorCode, message: string, extra: { path?: string; details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause })
    this.name = 'LucidexError'
    this.code = code
    if (extra.path !== undefined) this.path = extra.path
    if (extra.details !== undefined) this.details = extra.details
  }

  toData(): ErrorData {
    return {
      code: this.code,
      message: this.message,
      ...(this.path !== undefined && { path: this.path }),
      ...(this.details !== undefined && { details: this.details }),
    }
  }
}

/** Any thrown value as {@link ErrorData}. Never throws. */
export function toErrorData(thrown: unknown): ErrorData {
  if (thrown instanceof LucidexError) return thrown.toData()
  if (thrown instanceof Error) {
    // An AbortSignal's default reason: the work was cancelled, nothing went wrong.
    if (thrown.name === 'AbortError') return { code: 'CANCELLED', message: 'Cancelled' }
    return { code: 'INTERNAL', message: thrown.message || thrown.name }
  }
  return { code: 'INTERNAL', message: String(thrown) }
}
