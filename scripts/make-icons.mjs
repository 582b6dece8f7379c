// Draws the app's icon and writes it in the sizes that packages want: `node scripts/make-icons.mjs`.
// A lens over a picture: grain on its left half, clean on its right.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import sharp from 'sharp'
import { createRandom } from '../core/random.ts'

const OUT = path.resolve(import.meta.dirname, '..', 'resources', 'icons')
const LINUX_SIZES = [16, 24, 32, 48, 64, 128, 256, 512]

function grain() {
  const random = createRandom(7)
  const dots = []
  const step = 50
  for (let y = 512 - 5 * step; y <= 512 + 5 * step; y += step) {
    for (let x = 512 - step / 2; x > 250; x -= step) {
      if (Math.hypot(x - 512, y - 512) > 224) continue
      const [dx, dy] = [(random.next() - 0.5) * 16, (random.next() - 0.5) * 16]
      const radius = 8 + random.next() * 12
      dots.push(`<circle cx="${(x + dx).toFixed(1)}" cy="${(y + dy).toFixed(1)}" r="${radius.toFixed(1)}" />`)
    }
  }
  return dots.join('\n    ')
}

const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1024 1024">
  <linearGradient id="plate" x2="0" y2="1">
    <stop stop-color="#2b2c31" />
    <stop offset="1" stop-color="#161719" />
  </linearGradient>
  <rect x="64" y="64" width="896" height="896" rx="200" fill="url(#plate)" />
  <path d="M512 232a280 280 0 0 1 0 560z" fill="#7aa7f0" />
  <g fill="#ececee" fill-opacity="0.75">
    ${grain()}
  </g>
  <circle cx="512" cy="512" r="280" fill="none" stroke="#ececee" stroke-width="56" />
</svg>
`

mkdirSync(path.join(OUT, 'linux'), { recursive: true })
writeFileSync(path.join(OUT, 'icon.svg'), svg)
const draw = (size, file) =>
  sharp(Buffer.from(svg), { density: 300 }).resize(size, size).png({ compressionLevel: 9, palette: true }).toFile(path.join(OUT, file))
await draw(1024, 'icon.png')
for (const size of LINUX_SIZES) await draw(size, path.join('linux', `${size}x${size}.png`))
console.log(`Wrote icon.svg, icon.png and ${LINUX_SIZES.length} sizes to ${OUT}`)
