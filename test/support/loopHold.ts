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
