import type { Random } from '../../../core/random.ts'
import { lettersIn, randomWords, textPath } from '../../../cli/bench/lettering.ts'
import { between, blend, Canvas, css, hex, hsl, Noise, pick, scale, smoothstep, type Colour, type Scene } from '../paint.ts'

/** A printed or typed page, photographed on a desk. */
export const page: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const desk = pick(random, [hex('#6b4a33'), hex('#3a4148'), hex('#c7b79f'), hex('#2f4a4a')])
  const paper = pick(random, [hex('#f8f6ef'), hex('#f1e6cc'), hex('#fbfbfb'), hex('#e9eef2')])
  const ink = pick(random, ['#1d2025', '#2a3550', '#3a2a20'])
  canvas.fill((x, y) => scale(desk, 0.75 + 0.25 * noise.fbm(x * 2, y * 40, 4) + 0.25 * (1 - y)))

  const tall = height * between(random, 0.84, 1.15)
  const wide = tall * between(random, 0.66, 0.78)
  const columns = random.next() < 0.4 ? 2 : 1
  const size = tall * between(random, 0.011, 0.017)
  const margin = wide * 0.1
  const accent = css(hsl(random.next(), 0.6, 0.42))
  let body = `<rect width="${wide}" height="${tall}" fill="${css(paper)}"/>`
  let y = margin
  body += textPath(capitals(randomWords(random, lettersIn(wide - 2 * margin, size * 2.6))), {
    x: margin,
    y,
    height: size * 2.6,
    colour: random.next() < 0.5 ? accent : ink,
    weight: 0.2,
  })
  y += size * 5
  body += textPath(randomWords(random, 30), { x: margin, y, height: size * 1.1, colour: '#7a7f86' })
  y += size * 4
  const columnWidth = (wide - 2 * margin - (columns - 1) * margin * 0.6) / columns
  const figure = random.next() < 0.6 ? { column: random.integer(columns), from: between(random, 0.1, 0.6) } : undefined
  for (let column = 0; column < columns; column++) {
    const x = margin + column * (columnWidth + margin * 0.6)
    let line = y
    while (line < tall - margin) {
      if (figure?.column === column && line > y + (tall - y) * figure.from && line < y + (tall - y) * figure.from + size * 3) {
        const box = columnWidth * between(random, 0.45, 0.7)
        body += `<rect x="${x}" y="${line}" width="${columnWidth}" height="${box}" fill="${accent}" opacity="0.25"/>`
        body += `<path d="M${x} ${line + box}L${x + columnWidth * 0.3} ${line + box * 0.4}L${x + columnWidth * 0.5} ${line + box * 0.7}L${x + columnWidth * 0.72} ${line + box * 0.2}L${x + columnWidth} ${line + box}z" fill="${accent}"/>`
        line += box + size * 3
        continue
      }
      const paragraphEnds = random.next() < 0.14
      const text = randomWords(random, Math.floor(lettersIn(columnWidth, size) * (paragraphEnds ? between(random, 0.3, 0.7) : 1)))
      body += textPath(text, { x, y: line, height: size, colour: ink })
      line += size * (paragraphEnds ? 3.4 : 2.1)
    }
  }
  const left = (width - wide) / 2 + between(random, -0.08, 0.08) * width
  const above = (height - tall) / 2 + between(random, -0.04, 0.04) * height
  const turn = between(random, -7, 7)
  const overlay = `<g transform="rotate(${turn.toFixed(2)} ${width / 2} ${height / 2}) translate(${left.toFixed(1)} ${above.toFixed(1)})"><rect x="${size}" y="${size * 1.4}" width="${wide}" height="${tall}" opacity="0.35"/>${body}</g>`
  return { canvas, overlay }
}

/** A chart as reports have them: bars, lines, a ring or a cloud of points. */
export const chart: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const dark = random.next() < 0.35
  const ground = dark ? hex('#1b1f27') : hex('#ffffff')
  const ink = dark ? '#c9d1d9' : '#3a4048'
  canvas.fill(() => ground)
  const hue = random.next()
  const series = Array.from({ length: 4 }, (_, index) => css(hsl(hue + index * between(random, 0.12, 0.3), 0.6, dark ? 0.6 : 0.48)))
  const left = width * 0.1
  const top = height * 0.2
  const right = width * 0.94
  const bottom = height * 0.86
  let drawn = textPath(capitals(randomWords(random, 26)), { x: left, y: height * 0.07, height: height * 0.045, colour: ink, weight: 0.18 })
  const axes = () => {
    let lines = ''
    for (let step = 0; step <= 5; step++) {
      const y = bottom - ((bottom - top) * step) / 5
      lines += `<path d="M${left} ${y}H${right}" stroke="${ink}" stroke-opacity="${step === 0 ? 0.8 : 0.18}"/>`
      lines += textPath(String(step * 20), { x: left - width * 0.05, y: y - height * 0.01, height: height * 0.02, colour: ink })
    }
    return lines
  }
  const kind = pick(random, ['bars', 'lines', 'ring', 'points'] as const)
  if (kind === 'bars') {
    const groups = 4 + random.integer(6)
    const members = 1 + random.integer(3)
    const room = (right - left) / groups
    drawn += axes()
    for (let group = 0; group < groups; group++) {
      for (let member = 0; member < members; member++) {
        const value = between(random, 0.12, 0.97) * (bottom - top)
        const wide = (room * 0.72) / members
        drawn += `<rect x="${left + group * room + room * 0.14 + member * wide}" y="${bottom - value}" width="${wide * 0.92}" height="${value}" rx="3" fill="${series[member]}"/>`
      }
      drawn += textPath(randomWords(random, 6).slice(0, 4), {
        x: left + group * room + room * 0.2,
        y: bottom + height * 0.03,
        height: height * 0.02,
        colour: ink,
      })
    }
  } else if (kind === 'lines') {
    drawn += axes()
    for (let member = 0; member < 2 + random.integer(3); member++) {
      let value = between(random, 0.2, 0.8)
      let path = ''
      const steps = 24
      for (let step = 0; step <= steps; step++) {
        value = Math.min(0.97, Math.max(0.03, value + between(random, -0.11, 0.12)))
        path += `${step === 0 ? 'M' : 'L'}${(left + ((right - left) * step) / steps).toFixed(1)} ${(bottom - value * (bottom - top)).toFixed(1)}`
      }
      if (random.next() < 0.4) drawn += `<path d="${path}V${bottom}H${left}z" fill="${series[member]}" opacity="0.18"/>`
      drawn += `<path d="${path}" fill="none" stroke="${series[member]}" stroke-width="${height * 0.008}" stroke-linejoin="round"/>`
    }
  } else if (kind === 'ring') {
    drawn += ring(
      random,
      width * between(random, 0.35, 0.65),
      (top + bottom) / 2,
      (bottom - top) * 0.48,
      between(random, 0.3, 0.62),
      series,
      css(ground),
    )
  } else {
    drawn += axes()
    for (let cluster = 0; cluster < 2 + random.integer(3); cluster++) {
      const x = between(random, 0.2, 0.8)
      const y = between(random, 0.2, 0.8)
      const spread = between(random, 0.05, 0.13)
      for (let point = 0; point < 45; point++) {
        const px = left + (x + spread * random.normal()) * (right - left)
        const py = bottom - (y + spread * random.normal()) * (bottom - top)
        if (px > left && px < right && py > top && py < bottom)
          drawn += `<circle cx="${px.toFixed(1)}" cy="${py.toFixed(1)}" r="${height * 0.009}" fill="${series[cluster]}" opacity="0.75"/>`
      }
    }
  }
  return { canvas, overlay: drawn }
}

function ring(random: Random, x: number, y: number, radius: number, hole: number, colours: string[], ground: string): string {
  const shares = colours.map(() => between(random, 0.4, 1.6))
  const total = shares.reduce((sum, share) => sum + share, 0)
  let angle = random.next() * 2 * Math.PI
  let drawn = ''
  for (const [index, share] of shares.entries()) {
    const end = angle + (share / total) * 2 * Math.PI
    const large = end - angle > Math.PI ? 1 : 0
    drawn += `<path d="M${x} ${y}L${x + radius * Math.cos(angle)} ${y + radius * Math.sin(angle)}A${radius} ${radius} 0 ${large} 1 ${x + radius * Math.cos(end)} ${y + radius * Math.sin(end)}z" fill="${colours[index]}" stroke="${ground}" stroke-width="3"/>`
    angle = end
  }
  return `${drawn}<circle cx="${x}" cy="${y}" r="${radius * hole}" fill="${ground}"/>`
}

/** Tiles, arcs and coloured glass: regular and loud. */
export const pattern: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const hue = random.next()
  const colours: Colour[] = Array.from({ length: 5 }, (_, index) =>
    hsl(hue + index * between(random, 0.05, 0.25), between(random, 0.35, 0.75), between(random, 0.25, 0.8)),
  )
  const cells = 3 + random.integer(7)
  const side = 1 / cells
  const kind = pick(random, ['arcs', 'glass', 'rings', 'triangles', 'blocks'] as const)
  const salt = random.integer(200)
  const chance = (column: number, row: number, of: number) =>
    Math.floor((noise.at(column * 7.31 + salt, row * 5.17 + of * 13) * 0.5 + 0.5) * 0.999 * of)
  const seeds = Array.from({ length: cells * cells * 2 }, () => ({
    x: random.next() * canvas.aspect,
    y: random.next(),
    colour: pick(random, colours),
  }))

  canvas.fill((x, y) => {
    const column = Math.floor(x / side)
    const row = Math.floor(y / side)
    const u = x / side - column
    const v = y / side - row
    let colour: Colour
    if (kind === 'arcs') {
      const turned = chance(column, row, 2) === 0 ? u : 1 - u
      const distance = Math.min(Math.abs(Math.hypot(turned, v) - 0.5), Math.abs(Math.hypot(1 - turned, 1 - v) - 0.5))
      colour = distance < 0.16 ? colours[1]! : distance < 0.22 ? colours[2]! : colours[0]!
    } else if (kind === 'glass') {
      let first = 9
      let second = 9
      let nearest = seeds[0]!
      for (const seed of seeds) {
        const distance = Math.hypot(x - seed.x, y - seed.y)
        if (distance < first) {
          second = first
          first = distance
          nearest = seed
        } else if (distance < second) second = distance
      }
      const glow = 0.75 + 0.35 * noise.fbm(x * 8, y * 8, 3) + 0.2 * (1 - first / side)
      colour = blend(hex('#16181c'), scale(nearest.colour, glow), smoothstep(0.006, 0.012, second - first))
    } else if (kind === 'rings') {
      const distance = Math.hypot(u - 0.5, v - 0.5)
      const band = Math.floor(distance * 8 + chance(column, row, 3))
      colour = colours[band % 5]!
    } else if (kind === 'triangles') {
      const upper = chance(column, row, 2) === 0 ? u > v : u + v > 1
      colour = colours[(chance(column, row, 5) + (upper ? 2 : 0)) % 5]!
    } else {
      const big = Math.floor(x / (side * 2)) * 31 + Math.floor(y / side) * 17
      const edge = Math.min(x % (side * 2), y % side)
      colour = edge < side * 0.08 ? hex('#15161a') : chance(big, big * 3, 3) === 0 ? colours[chance(column, row, 5)]! : hex('#f3efe4')
    }
    return scale(colour, 0.95 + 0.06 * noise.fbm(x * 60, y * 60, 3))
  })
  return { canvas }
}

function capitals(text: string): string {
  return text.replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())
}
