import type { Log } from '../core/deps.ts'

/** Where a command reads its surroundings and writes its words; tests give their own. */
export interface Io {
  /** A result, on standard output, closed with a line break. */
  print(text: string): void
  /** Progress and trouble, on standard error, closed with a line break. */
  note(text: string): void
  /** Replaces the progress line; an empty text clears it. Does nothing where nobody watches. */
  progress(text: string): void
  env: NodeJS.ProcessEnv
  /** Calls `listener` on Ctrl-C instead of ending the process; returns the function that stops that. */
  onInterrupt(listener: () => void): () => void
}

export const processIo: Io = {
  print: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => {
    processIo.progress('')
    process.stderr.write(`${text}\n`)
  },
  progress: (text) => {
    if (!process.stderr.isTTY) return
    // Return to the line's start, clear it, and stay on it.
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`)
  },
  env: process.env,
  onInterrupt(listener) {
    process.on('SIGINT', listener)
    process.on('SIGTERM', listener)
    return () => {
      process.off('SIGINT', listener)
      process.off('SIGTERM', listener)
    }
  },
}

/** The engine's log on a command's standard error: what works needs no words. */
export function quietLog(io: Io): Log {
  return {
    info() {},
    warn: (message) => io.note(`warning: ${message}`),
    error: (message) => io.note(`error: ${message}`),
  }
}

/** Ctrl-C aborts the work, which cleans up after itself. */
export async function interruptible<T>(io: Io, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const stop = io.onInterrupt(() => controller.abort())
  try {
    return await work(controller.signal)
  } finally {
    stop()
  }
}
