import { between, blend, Canvas, clamp, hex, hsl, Noise, pick, scale, smoothstep, type Colour, type Scene } from '../paint.ts'

interface Thing {
  kind: 'ball' | 'jar' | 'box'
  x: number
  /** Where it stands. */
  foot: number
  radius: number
  tall: number
  colour: Colour
  gloss: number
  speckle: number
  /** Painted rings of a jar; 0 for none. */
  rings: number
}

/** Fruit, jars and boxes on a table, lit by one window. */
export const stillLife: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const table = between(random, 0.5, 0.64)
  const wall = hsl(random.next(), between(random, 0.05, 0.4), between(random, 0.2, 0.75))
  const top = pick(random, [hex('#8a6242'), hex('#d8d2c6'), hex('#4b3a31'), hex('#6f7f86'), hex('#b98a56')])
  const side = random.next() < 0.5 ? -1 : 1
  const lightX = canvas.aspect * (0.5 + 0.45 * side)

  const things: Thing[] = Array.from({ length: 3 + random.integer(6) }, () => {
    const kind = pick(random, ['ball', 'ball', 'jar', 'box'] as const)
    const radius = between(random, 0.06, 0.13)
    return {
      kind,
      x: between(random, 0.12, 0.88) * canvas.aspect,
      foot: between(random, table + 0.08, 0.93),
      radius,
      tall: kind === 'ball' ? radius * 2 : radius * between(random, 1.4, 4),
      colour: hsl(
        pick(random, [0, 0.06, 0.1, 0.14, 0.25, 0.33, 0.55, 0.62, 0.9]) + between(random, -0.03, 0.03),
        between(random, 0.25, 0.85),
        between(random, 0.3, 0.62),
      ),
      gloss: random.next(),
      speckle: between(random, 10, 60),
      rings: random.next() < 0.4 ? 2 + random.integer(6) : 0,
    }
  }).sort((a, b) => a.foot - b.foot)

  canvas.fill((x, y) => {
    const falloff = Math.exp(-Math.hypot(x - lightX, y - 0.2) * 0.7)
    if (y < table) return scale(wall, 0.45 + 0.8 * falloff + 0.05 * noise.fbm(x * 25, y * 25, 4))
    const depth = (y - table) / (1 - table)
    const grain = noise.fbm(x * 3, (y * 60) / (0.4 + depth), 4, 0.6)
    return scale(top, (0.5 + 0.65 * falloff) * (0.8 + 0.25 * depth) + 0.12 * grain)
  })
  for (const thing of things) {
    const { x, foot, radius, tall } = thing
    const reach = tall * 0.9
    // The shadow lies away from the light and softens with distance.
    const shadowX = x - side * reach * 0.45
    canvas.paint(shadowX - reach - radius * 2, foot - radius, shadowX + reach + radius * 2, foot + radius, (px, py) => {
      const along = (px - shadowX) / (reach * 0.75 + radius)
      const across = (py - foot + radius * 0.12) / (radius * 0.34)
      const cover = 0.62 * (1 - smoothstep(0.3, 1, Math.hypot(along, across)))
      return cover > 0 ? [scale(top, 0.15), cover] : undefined
    })
    if (thing.kind === 'ball') paintBall(canvas, noise, thing, side)
    else paintUpright(canvas, noise, thing, side)
  }
  canvas.vignette(0.3)
  return { canvas }
}

function paintBall(canvas: Canvas, noise: Noise, { x, foot, radius, colour, gloss, speckle }: Thing, side: number): void {
  const y = foot - radius * 0.92
  canvas.paint(x - radius, y - radius, x + radius, y + radius, (px, py) => {
    const nx = (px - x) / radius
    const ny = (py - y) / radius
    const flat = nx * nx + ny * ny
    if (flat >= 1) return undefined
    const nz = Math.sqrt(1 - flat)
    const facing = nx * side * 0.55 - ny * 0.6 + nz * 0.58
    const skin = 1 + 0.16 * noise.fbm(px * speckle, py * speckle, 3)
    const shine = clamp(nx * side * 0.45 - ny * 0.5 + nz * 0.74) ** (20 + 60 * gloss)
    const lit = 0.22 + 0.95 * Math.max(0, facing) + 0.12 * Math.max(0, ny)
    return [blend(scale(colour, lit * skin), [1, 1, 0.97], shine * (0.25 + 0.7 * gloss)), smoothstep(1, 0.97, flat)]
  })
  canvas.disc(x, y - radius * 0.93, radius * 0.07, scale(colour, 0.25))
}

function paintUpright(canvas: Canvas, noise: Noise, thing: Thing, side: number): void {
  const { kind, x, foot, radius, tall, colour, gloss, rings } = thing
  const lid = radius * 0.22
  canvas.paint(x - radius, foot - tall - lid, x + radius, foot + lid, (px, py) => {
    const nx = (px - x) / radius
    const curve = kind === 'jar' ? Math.sqrt(Math.max(0, 1 - nx * nx)) : 0
    const bottom = kind === 'jar' ? foot + lid * curve * 0.8 : foot + (nx < side * -0.2 ? 0.25 : -0.1) * lid * nx
    const rim = foot - tall
    const opening = Math.hypot(nx, (py - rim) / lid)
    if (kind === 'jar' && opening < 1) return [scale(colour, opening > 0.85 ? 1.2 : 0.3 + 0.4 * opening), 1]
    if (py < rim || py > bottom || Math.abs(nx) > 0.985) return undefined
    const height = (py - rim) / tall
    const glaze = 1 + 0.12 * noise.fbm(px * 18, py * 18, 4)
    if (kind === 'box') {
      const lit = nx * side > -0.2 ? 1.05 : 0.55
      return [scale(colour, lit * glaze * (1 - 0.15 * height)), 1]
    }
    const lit = 0.3 + 0.85 * clamp(0.35 + nx * side * 0.6 + curve * 0.35)
    const shine = Math.exp(-(((nx - side * 0.5) / 0.1) ** 2)) * gloss * 0.6
    const painted = rings > 0 && Math.sin(height * rings * 6.28) > 0.55 ? blend(colour, [0.95, 0.92, 0.85], 0.75) : colour
    return [blend(scale(painted, lit * glaze), [1, 1, 1], shine), smoothstep(1, 0.96, Math.abs(nx))]
  })
}
