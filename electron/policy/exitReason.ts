/** How much of the engine's standard error is kept to explain its end, in characters. */
export const STDERR_KEPT = 4_000

/** A line for people on why the engine's process ended: V8's own report, else the error it printed, else its exit code. */
export function exitReason(exit: { code: number; fatal: string | null; stderr: string }): string {
  if (exit.fatal)
    return /memory|allocation/i.test(exit.fatal) ? `It ran out of memory (${exit.fatal}).` : `It failed inside V8 (${exit.fatal}).`
  // An uncaught error prints its stack: the line before the first frame names it.
  const lines = exit.stderr.split('\n').map((line) => line.trim())
  const error = lines.findLast((line) => /^(Uncaught )?\w*(Error|Exception)\b.*:/.test(line))
  return error ? `${error} (exit code ${exit.code})` : `It ended with exit code ${exit.code}.`
}
