import { readFileSync } from 'node:fs'

/**
 * The longest time that this thread's event loop was held while `work` ran, in milliseconds: the time
 * between two turns of a 2 ms timer, less what the thread spent waiting for a processor. Other programs
 * on the machine take that, not our code; Linux counts it for each thread (proc(5), schedstat). Blocking
 * calls still count in full.
 */
export async function longestHold(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let turn = performance.now()
  let waited = processorWait()
  const timer = setInterval(() => {
    const now = performance.now()
    const waitedNow = processorWait()
    longest = Math.max(longest, now - turn - (waitedNow - waited))
    turn = now
    waited = waitedNow
  }, 2)
  try {
    await work()
  } finally {
    clearInterval(timer)
  }
  return longest
}

/** How long this thread has been ready to run without a processor, in milliseconds since it began; 0 where the system does not say. */
function processorWait(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

/** What {@link slowness} measures takes so many milliseconds on an ordinary machine. */
const ORDINARY_MS = 60

/**
 * How much slower than an ordinary machine this one is just now at what holds are made of, new objects and fresh
 * memory; at least 1. A virtual machine whose host takes back its memory has been seen at 10. Limits in milliseconds
 * are meant for an ordinary one: multiply them.
 */
export function slowness(): number {
  const times = Array.from({ length: 3 }, () => {
    const started = process.cpuUsage()
    const objects = new Map(Array.from({ length: 100_000 }, (_, at) => [`key ${at}`, { at }]))
    const memory = new Float64Array(4_000_000).fill(objects.size)
    const { user, system } = process.cpuUsage(started)
    return (user + system) / 1000 / (memory[0]! / 100_000)
  })
  const factor = Math.max(1, Math.min(...times) / ORDINARY_MS)
  if (factor > 1) console.warn(`THIS MACHINE IS SLOW just now: limits are multiplied by ${factor.toFixed(1)}`)
  return factor
}
