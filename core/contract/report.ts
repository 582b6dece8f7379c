/** A denoising job's report for people; the same for the command line and the window. */
import type { DenoiseResult } from './schemas.ts'

export interface ReportSummary {
  done: number
  skipped: number
  failed: number
  /** Pixels denoised and written, in millions. */
  megapixels: number
  /** Time spent on the pictures; in a queue that overlaps them, more than the clock's. */
  seconds: number
}

export function summarise(results: readonly DenoiseResult[]): ReportSummary {
  const summary: ReportSummary = { done: 0, skipped: 0, failed: 0, megapixels: 0, seconds: 0 }
  for (const { status, width, height, seconds } of results) {
    summary[status] += 1
    summary.seconds += seconds
    if (status === 'done') summary.megapixels += (width * height) / 1e6
  }
  return summary
}

/** One line on top, then one paragraph for every picture with what happened to it. */
export function reportText(results: readonly DenoiseResult[]): string {
  const { done, skipped, failed, megapixels } = summarise(results)
  const lines = [`${done} denoised (${megapixels.toFixed(1)} megapixels), ${skipped} skipped, ${failed} failed`]
  for (const result of results) {
    lines.push('', `${STATUS[result.status]}  ${result.input}`)
    const say = (text: string) => lines.push(`  ${text}`)
    if (result.status === 'done' && result.output !== null) say(`→ ${result.output}`)
    if (result.status === 'done') {
      const level = result.sigmaUsed === null ? '' : `, σ ${result.sigmaUsed.toFixed(1)}`
      say(`${result.width} × ${result.height}${level}, ${result.seconds.toFixed(1)} s`)
    }
    if (result.reason === 'exists') say(`its output is there already: ${result.output}`)
    if (result.reason === 'little-noise') say(`little noise: σ ${result.sigmaEstimated?.toFixed(1)}`)
    if (result.error) say(`${result.error.code}: ${result.error.message}`)
    for (const note of result.notes) say(note)
  }
  return `${lines.join('\n')}\n`
}

const STATUS: Record<DenoiseResult['status'], string> = { done: 'done   ', skipped: 'skipped', failed: 'FAILED ' }
