/** How often a crashed engine is started again before the user is asked. */
export const RESTART_LIMIT = 3
export const RESTART_WINDOW_MS = 60_000

/**
 * Whether to start the engine again after the crash at `now`. `crashes` are the times (ms) of the
 * crashes before it; the answer carries the ones still to be counted next time. At most
 * {@link RESTART_LIMIT} restarts are granted within any {@link RESTART_WINDOW_MS}.
 */
export function restartPolicy(crashes: readonly number[], now: number): { restart: boolean; crashes: number[] } {
  const recent = crashes.filter((time) => now - time < RESTART_WINDOW_MS)
  return { restart: recent.length < RESTART_LIMIT, crashes: [...recent, now] }
}
