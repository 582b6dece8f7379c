import type { ConfidenceCurve } from '../../core/inference/index.ts'

const WIDTH = 560
const HEIGHT = 360
const LEFT = 56
const BOTTOM = 312
const PLOT = { width: 350, height: 280 }
/** Of the four σ, from weak to strong. */
const COLOURS = ['#7cb5e8', '#3b8bd0', '#1f5f9e', '#0b3157']

/** A model's calibration as an SVG: the real error that goes with a spread, of all noises together and of each. */
export function plotConfidence({ model, images, cells, rankCorrelation, knots, bySigma }: ConfidenceCurve): string {
  const points = [knots, ...bySigma.map((row) => row.points)].flat()
  const [right, top] = [0, 1].map((axis) => roundUp(Math.max(...points.map((point) => point[axis]!)))) as [number, number]
  const x = (spread: number) => round(LEFT + (PLOT.width * spread) / right)
  const y = (error: number) => round(BOTTOM - (PLOT.height * error) / top)
  const line = (curve: readonly (readonly [number, number])[]) => curve.map(([spread, error]) => `${x(spread)},${y(error)}`).join(' ')
  const ticks = (end: number) => Array.from({ length: 5 }, (_, index) => (end * index) / 4)
  const legend = [...bySigma.map(({ sigma }, index) => [`σ ${sigma}`, COLOURS[index % COLOURS.length]!]), ['the map’s curve', '#d9480f']]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="20" font-size="13">${model}: real error beside the confidence map’s spread</text>
<g stroke="#ddd">
${ticks(right)
  .map((value) => `<line x1="${x(value)}" y1="${y(0)}" x2="${x(value)}" y2="${y(top)}"/>`)
  .join('\n')}
${ticks(top)
  .map((value) => `<line x1="${x(0)}" y1="${y(value)}" x2="${x(right)}" y2="${y(value)}"/>`)
  .join('\n')}
</g>
<g fill="#444">
${ticks(right)
  .map((value) => `<text x="${x(value)}" y="${BOTTOM + 16}" text-anchor="middle">${Number(value.toFixed(3))}</text>`)
  .join('\n')}
${ticks(top)
  .map((value) => `<text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${Number(value.toFixed(3))}</text>`)
  .join('\n')}
<text x="${LEFT + PLOT.width / 2}" y="${BOTTOM + 36}" text-anchor="middle">spread / σ</text>
<text transform="translate(14 ${BOTTOM - PLOT.height / 2}) rotate(-90)" text-anchor="middle">error / σ (root mean square)</text>
</g>
${bySigma.map(({ points: own }, index) => `<polyline points="${line(own)}" fill="none" stroke="${COLOURS[index % COLOURS.length]}" stroke-width="1.5"/>`).join('\n')}
<polyline points="${line(knots)}" fill="none" stroke="#d9480f" stroke-width="2.5" stroke-dasharray="6 3"/>
${legend
  .map(
    ([name, colour], index) =>
      `<line x1="${LEFT + PLOT.width + 16}" y1="${60 + 20 * index}" x2="${LEFT + PLOT.width + 36}" y2="${60 + 20 * index}" stroke="${colour}" stroke-width="2.5"/>` +
      `<text x="${LEFT + PLOT.width + 42}" y="${64 + 20 * index}">${name}</text>`,
  )
  .join('\n')}
<text x="${LEFT + PLOT.width + 16}" y="${BOTTOM - 34}" fill="#444">${images} pictures,</text>
<text x="${LEFT + PLOT.width + 16}" y="${BOTTOM - 18}" fill="#444">${cells.toLocaleString('en')} cells,</text>
<text x="${LEFT + PLOT.width + 16}" y="${BOTTOM - 2}" fill="#444">ranks agree ${rankCorrelation}</text>
</svg>
`
}

/** To an end that four ticks divide well. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10].map((factor) => factor * power).find((end) => end >= value)!
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
