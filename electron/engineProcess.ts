import { join } from 'node:path'
import { MessageChannelMain, utilityProcess, type MessagePortMain } from 'electron'
import type { UtilityReport } from '../core/hosts/utility.ts'
import type { EngineChild, EngineChildListeners, EngineSupervisorEffects } from './policy/engineSupervisor.ts'
import { exitReason, STDERR_KEPT } from './policy/exitReason.ts'

/** The supervisor's hands: how an engine process is started and wired in Electron. */
export const engineProcess: Pick<EngineSupervisorEffects<MessagePortMain>, 'spawn' | 'channel' | 'now'> = {
  spawn: spawnEngine,
  channel() {
    const { port1, port2 } = new MessageChannelMain()
    return [port1, port2]
  },
  now: () => performance.now(),
}

function spawnEngine({ onReport, onExit }: EngineChildListeners): EngineChild<MessagePortMain> {
  const child = utilityProcess.fork(join(import.meta.dirname, 'engine.js'), [], {
    serviceName: 'Lucidex engine',
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  let stderr = ''
  let fatal: string | null = null
  child.stderr?.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk)
    stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)
  })
  child.on('error', (type, location) => {
    fatal = `${type} ${location}`
  })
  child.on('message', (report: UtilityReport) => onReport(report))
  child.once('exit', (code) => onExit(exitReason({ code, fatal, stderr })))
  return {
    post: (request, ports) => child.postMessage(request, ports),
    kill: () => void child.kill(),
  }
}
