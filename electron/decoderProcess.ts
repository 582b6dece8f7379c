import { join } from 'node:path'
import { utilityProcess, type MessagePortMain } from 'electron'
import type { EngineDecodersEffects } from './policy/engineDecoders.ts'
import { exitReason, STDERR_KEPT } from './policy/exitReason.ts'

/** Starts a process in which files that nobody vouches for are decoded. */
export const spawnDecoder: EngineDecodersEffects<MessagePortMain>['spawnDecoder'] = (onExit) => {
  const child = utilityProcess.fork(join(import.meta.dirname, 'decoder.js'), [], {
    serviceName: 'Lucidex decoder',
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  let fatal: string | null = null
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)
  })
  child.on('error', (type, location) => {
    fatal = `${type} ${location}`
  })
  child.once('exit', (code) => onExit(exitReason({ code, fatal, stderr })))
  return {
    connect: (port) => child.postMessage(null, [port]),
    kill: () => void child.kill(),
  }
}
