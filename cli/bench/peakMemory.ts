import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { LucidexError } from '../../core/contract/index.ts'

/** How often the processes are looked at, in milliseconds. */
const EVERY_MS = 50

/**
 * Runs a command of this program in a process of its own; answers what it printed, and the most memory that it and
 * its children had resident together, in bytes, looked at every {@link EVERY_MS} ms; null where there is no /proc.
 * Errors: INTERNAL, when it fails.
 */
export function runMeasured(
  script: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<{ output: string; peakBytes: number | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'], signal })
    let peak = 0
    let output = ''
    let said = ''
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (said = (said + text).slice(-2000)))
    const timer = setInterval(() => (peak = Math.max(peak, residentBytes(child.pid!))), EVERY_MS)
    child.once('error', (error) => (clearInterval(timer), reject(error)))
    child.once('close', (status) => {
      clearInterval(timer)
      if (status === 0) resolve({ output, peakBytes: process.platform === 'linux' ? peak : null })
      else reject(new LucidexError('INTERNAL', `lucidex ${args.join(' ')} failed: ${said}`))
    })
  })
}

/** Of a process and all that come from it. What they share is counted for each. */
function residentBytes(pid: number): number {
  try {
    const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    )
    return children.reduce((sum, child) => sum + residentBytes(child), Number(resident) * 1024)
  } catch {
    // It has ended, or there is no /proc.
    return 0
  }
}
