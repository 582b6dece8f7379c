import { spawn } from 'node:child_process'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Transport } from '../contract/index.ts'
import { pipeTransport } from './pipe.ts'
import type { DecoderChild } from './types.ts'

/** The pipe between the engine and a decoder process, behind the three usual ones: what libraries print never gets into it. */
const PIPE_FD = 3

/**
 * glibc's: memory that many threads take turns to hold is given back sooner from few arenas; and what one picture
 * leaves is kept for the next, instead of being taken from the system anew each time (`lucidex bench ingest`).
 */
const MALLOC = { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20), MALLOC_TRIM_THRESHOLD_: String(64 * 2 ** 20) }

/** How much of what a process prints is kept to explain its end, in characters. */
const STDERR_KEPT = 2_000

/** Starts a decoder process in plain Node. `entry`: core/decoder/main.ts, or its bundle. */
export function spawnNodeDecoder(entry: URL): DecoderChild {
  const child = spawn(process.execPath, [fileURLToPath(entry)], {
    // "overlapped" is "pipe" everywhere but on Windows, where reading a pipe in Node wants it.
    stdio: ['ignore', 'ignore', 'pipe', 'overlapped'],
    env: { ...process.env, ...MALLOC },
    windowsHide: true,
  })
  let printed = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    printed = (printed + chunk.toString()).slice(-STDERR_KEPT)
  })
  return {
    transport: pipeTransport(child.stdio[PIPE_FD] as Duplex),
    kill: () => void child.kill('SIGKILL'),
    onExit(listener) {
      child.once('error', (error) => listener(error.message))
      child.once('exit', (code, signal) => listener([signal ?? `exit code ${code}`, printed.trim()].filter(Boolean).join(': ')))
    },
  }
}

/** In the process that was started: the pipe to its engine. The process ends with it. */
export function parentTransport(): Transport {
  const transport = pipeTransport(new Socket({ fd: PIPE_FD }))
  // Not process.exit(): that waits for native threads, and one of them may never come back.
  transport.onClose(() => process.kill(process.pid, 'SIGKILL'))
  // Ctrl-C in a terminal goes to every process there: the engine decides when this one ends.
  process.on('SIGINT', () => {})
  return transport
}
