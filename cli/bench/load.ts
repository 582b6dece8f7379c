import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** No speed is measured beside more work than this, in processors. */
export const LOAD_MAX = 0.3

/** How many processes wanted a processor in the last minute; null on Windows, which does not count them. */
export function loadAverage(): number | null {
  return process.platform === 'win32' ? null : loadavg()[0]!
}

/** Waits, at most so many seconds, for the load to fall to {@link LOAD_MAX}; answers the load then. */
export async function settledLoad(
  seconds: number,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (text: string) => void },
): Promise<number | null> {
  const end = performance.now() + seconds * 1000
  for (;;) {
    signal?.throwIfAborted()
    const load = loadAverage()
    if (load === null || load <= LOAD_MAX || performance.now() >= end) return load
    onProgress?.(`Waiting for the load to fall from ${load.toFixed(2)} to ${LOAD_MAX}`)
    await sleep(1000, undefined, { signal })
  }
}

/** Starts to watch; the function answers how many processors others have kept busy since. */
export function watchOthers(): () => number {
  const began = { busy: busyMilliseconds(), own: process.cpuUsage(), at: performance.now() }
  return () => {
    const own = process.cpuUsage(began.own)
    const others = busyMilliseconds() - began.busy - (own.user + own.system) / 1000
    return Math.max(0, others / (performance.now() - began.at))
  }
}

function busyMilliseconds(): number {
  return cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
}
