import { between, blend, Canvas, clamp, hex, hsl, Noise, pick, scale, smoothstep, type Colour, type Scene } from '../paint.ts'

/** Boards of one wood, each cut from another place. */
export const wood: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const [light, dark] = pick(random, [
    [hex('#d9a766'), hex('#8a5a2b')],
    [hex('#8a6242'), hex('#3f2717')],
    [hex('#c9b79a'), hex('#85705a')],
    [hex('#b5673a'), hex('#5c2a16')],
    [hex('#9aa7a5'), hex('#5b6765')],
    [hex('#6f9aa8'), hex('#3d5a66')],
  ])
  const upright = random.next() < 0.5
  const boards = 2 + random.integer(7)
  const board = (upright ? canvas.aspect : 1) / boards
  const rings = between(random, 5, 16)
  const salt = Array.from({ length: boards + 1 }, () => ({
    shift: random.next() * 150,
    tone: between(random, 0.8, 1.12),
    knot: between(random, -0.4, 2),
  }))
  canvas.fill((x, y) => {
    const along = upright ? y : x
    const across = upright ? x : y
    const index = Math.min(boards, Math.floor(across / board))
    const { shift, tone, knot } = salt[index]!
    const inside = across / board - index
    const toKnot = Math.hypot((along - knot) * 2.2, (inside - 0.5) * board * 3)
    const field = (inside - 0.5) * board * 4 + 0.55 * noise.fbm(along * 0.9 + shift, across * 3 + shift, 3) + 0.12 / (toKnot + 0.18)
    const ring = (((field * rings) % 1) + 1) % 1
    const fibre = noise.fbm(along * 5 + shift, across * 170, 4, 0.65)
    const share = clamp(0.28 + 0.4 * ring ** 2 + 0.26 * fibre + 0.35 * smoothstep(0.12, 0.02, toKnot))
    const gap = Math.min(inside, 1 - inside) * board
    return scale(blend(light, dark, share), tone * (0.35 + 0.65 * smoothstep(0.001, 0.005, gap)))
  })
  canvas.vignette(0.3)
  return { canvas }
}

/** A wall of bricks or of square stones. */
export const bricks: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const base = pick(random, [hex('#a4523a'), hex('#8a3f33'), hex('#b98a66'), hex('#8c8c88'), hex('#d9d4c8'), hex('#5b646b')])
  const mortar = pick(random, [hex('#b9b2a6'), hex('#6b655f'), hex('#d6cfc2')])
  const tall = between(random, 0.055, 0.16)
  const long = tall * between(random, 1.2, 3.2)
  const joint = tall * between(random, 0.06, 0.14)
  const spread = between(random, 0.1, 0.4)
  canvas.fill((x, y) => {
    const wobble = 0.12 * joint
    const row = Math.floor((y + wobble * noise.at(x * 20, y * 20)) / tall)
    const shifted = x + (row % 2) * long * 0.5 + 0.02 * noise.at(row * 7.1, 1)
    const column = Math.floor(shifted / long)
    const toEdge = Math.min(shifted - column * long, (column + 1) * long - shifted, y - row * tall, (row + 1) * tall - y)
    const edge = toEdge - joint / 2 + joint * 0.35 * noise.fbm(x * 30, y * 30, 3)
    const own = noise.at(column * 5.7 + 3, row * 3.3 + 8)
    const grain = noise.fbm(x * 50, y * 50, 5, 0.7)
    // Light from above left: upper and left rims catch it, lower ones lose it.
    const rim = smoothstep(joint * 0.5, 0, edge) * (y - row * tall < tall / 2 ? 0.15 : -0.25)
    const stone = scale(
      blend(base, hsl(0.06 + 0.05 * own, 0.35, 0.45), Math.abs(own) * 0.35),
      clamp(0.95 + spread * own + 0.22 * grain + rim, 0.2, 1.5),
    )
    const filling = scale(mortar, 0.75 + 0.2 * grain)
    return scale(blend(filling, stone, smoothstep(-0.002, 0.002, edge)), 1 + 0.15 * noise.fbm(x * 1.2, y * 1.2, 2))
  })
  canvas.vignette(0.3)
  return { canvas }
}

/** Rounded stones lying close. */
export const cobbles: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const size = between(random, 0.06, 0.2)
  const tone = pick(random, [hex('#8d8a86'), hex('#a58f78'), hex('#6f7b85'), hex('#b0a894'), hex('#7a5f52')])
  const gapTone = pick(random, [hex('#3b362f'), hex('#4e5a3a'), hex('#8a7a62')])
  const colourful = between(random, 0.05, 0.5)
  const columns = Math.ceil(canvas.aspect / size) + 3
  const rows = Math.ceil(1 / size) + 3
  const cells = Array.from({ length: columns * rows }, () => ({
    x: between(random, 0.12, 0.88),
    y: between(random, 0.12, 0.88),
    colour: scale(blend(tone, hsl(random.next() * 0.15, 0.4, 0.5), random.next() * colourful), between(random, 0.65, 1.25)),
  }))
  canvas.fill((x, y) => {
    const px = x / size + 1 + 0.1 * noise.fbm(x * 12, y * 12, 3)
    const py = y / size + 1 + 0.1 * noise.fbm(x * 12 + 50, y * 12, 3)
    const cellX = Math.floor(px)
    const cellY = Math.floor(py)
    let first = 9
    let second = 9
    let nearest = cells[0]!
    let dx = 0
    let dy = 0
    for (let row = Math.max(0, cellY - 1); row <= Math.min(rows - 1, cellY + 1); row++) {
      for (let column = Math.max(0, cellX - 1); column <= Math.min(columns - 1, cellX + 1); column++) {
        const cell = cells[row * columns + column]!
        const distance = Math.hypot(px - column - cell.x, py - row - cell.y)
        if (distance < first) {
          second = first
          first = distance
          nearest = cell
          dx = px - column - cell.x
          dy = py - row - cell.y
        } else if (distance < second) second = distance
      }
    }
    const rim = second - first
    const grain = noise.fbm(x * 45, y * 45, 4, 0.7)
    const lit = clamp(0.95 - 0.45 * (dx * 0.6 + dy * 0.8) - 0.35 * first * first + 0.2 * grain, 0.2, 1.5)
    return blend(scale(gapTone, 0.6 + 0.25 * grain), scale(nearest.colour, lit), smoothstep(0.03, 0.14, rim))
  })
  canvas.vignette(0.3)
  return { canvas }
}

/** Cloth: plain weave, plaid, knitting or herringbone, in folds. */
export const fabric: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const kind = pick(random, ['plaid', 'knit', 'herringbone', 'weave'] as const)
  const hue = random.next()
  const saturation = between(random, 0.15, 0.65)
  const yarns: Colour[] = [
    hsl(hue, saturation, between(random, 0.3, 0.6)),
    hsl(hue + between(random, 0.05, 0.5), saturation, between(random, 0.15, 0.8)),
    hsl(hue, 0.1, 0.9),
  ]
  const threads = kind === 'knit' ? between(random, 14, 30) : between(random, 60, 110)
  const period = between(random, 0.16, 0.4)
  const bands = [between(random, 0.1, 0.5), between(random, 0.55, 0.7), between(random, 0.02, 0.06)]
  const angle = between(random, -0.5, 0.5)
  const folds = between(random, 0.8, 2.5)
  const yarnAt = (share: number): Colour => {
    const place = ((share % 1) + 1) % 1
    if (Math.abs(place - bands[1]!) < bands[2]!) return yarns[2]!
    return place < bands[0]! ? yarns[1]! : yarns[0]!
  }
  canvas.fill((x, y) => {
    const fold = noise.fbm(x * folds, y * folds * 0.7, 3)
    const bent = 0.05 * fold
    const u = x * Math.cos(angle) + y * Math.sin(angle) + bent
    const v = -x * Math.sin(angle) + y * Math.cos(angle) + bent
    const warp = u * threads
    const weft = v * threads
    let colour: Colour
    let relief: number
    if (kind === 'knit') {
      const row = Math.floor(weft)
      const lean = Math.abs((warp % 1) - 0.5)
      const stitch = (((weft + lean * 1.4) % 1) + 1) % 1
      relief = 0.55 + 0.6 * Math.sin(Math.PI * stitch) * (0.75 + 0.5 * Math.sin(Math.PI * 2 * lean))
      colour = yarnAt(row / threads / period)
    } else {
      const over =
        kind === 'herringbone'
          ? Math.floor(warp + (Math.floor(warp / 12) % 2 === 0 ? weft : -weft)) % 4 < 2
          : (Math.floor(warp) + Math.floor(weft)) % 2 === 0
      const place = over ? warp % 1 : weft % 1
      relief = 0.72 + 0.35 * Math.sin(Math.PI * Math.abs(place))
      colour = over ? yarnAt(u / period) : kind === 'plaid' ? yarnAt(v / period) : scale(yarns[0]!, 0.75)
    }
    const fuzz = 0.14 * noise.fbm(x * 130, y * 130, 2)
    return scale(colour, clamp(relief + fuzz + 0.4 * noise.at(x * folds + bent * 8 + 3, y * folds * 0.7), 0.12, 1.4))
  })
  canvas.vignette(0.25)
  return { canvas }
}

/** Polished stone with veins. */
export const marble: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const [ground, vein, tint] = pick(random, [
    [hex('#eceae6'), hex('#8a8f96'), hex('#d9c9a8')],
    [hex('#1e3a34'), hex('#c9d8cc'), hex('#3f6b58')],
    [hex('#26262b'), hex('#d9c07a'), hex('#3f3f4a')],
    [hex('#c98f7a'), hex('#f6e3d6'), hex('#a8634f')],
    [hex('#2f4a78'), hex('#e6d9a8'), hex('#4a6fa5')],
    [hex('#b8a98a'), hex('#6b5a42'), hex('#d9cdb5')],
  ])
  const frequency = between(random, 0.9, 2.6)
  const warp = between(random, 0.5, 1.6)
  const angle = between(random, 0, Math.PI)
  canvas.fill((x, y) => {
    const wx = noise.fbm(x * frequency, y * frequency, 5)
    const wy = noise.fbm(x * frequency + 40, y * frequency + 90, 5)
    const u = x * Math.cos(angle) + y * Math.sin(angle) + warp * 0.4 * wx
    const v = y * Math.cos(angle) - x * Math.sin(angle) + warp * 0.4 * wy
    const thick = 1 - Math.abs(noise.fbm(u * frequency, v * frequency * 2, 4))
    const thin = 1 - Math.abs(noise.fbm(u * 4 + 20, v * 5, 4))
    const body = blend(ground, tint, clamp(0.4 + 0.6 * wx))
    const veins = clamp(smoothstep(0.86, 1, thick) * 0.85 + smoothstep(0.9, 1, thin) * 0.45)
    return scale(blend(body, vein, veins), 0.95 + 0.06 * noise.fbm(x * 40, y * 40, 4))
  })
  canvas.vignette(0.15)
  return { canvas }
}
