import { between, blend, Canvas, clamp, hex, hsl, mix, Noise, pick, scale, smoothstep, type Colour, type Scene } from '../paint.ts'

/** Towers with lit windows over a river that draws them out into streaks. */
export const city: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const [top, low] = pick(random, [
    [hex('#0b1026'), hex('#3a3358')],
    [hex('#101a33'), hex('#c0605a')],
    [hex('#06121f'), hex('#1f5566')],
    [hex('#1a1430'), hex('#8a4a78')],
  ])
  const water = between(random, 0.66, 0.86)
  const moonX = between(random, 0.1, 0.9) * canvas.aspect
  const moonY = between(random, 0.08, 0.3)
  const moon = between(random, 0.015, 0.045)
  canvas.fill((x, y) => {
    const haze = 0.06 * noise.fbm(x * 2, y * 5, 4)
    const colour = blend(top, low, (y / water) ** 2.2 + haze)
    return blend(
      colour,
      hex('#fdf3d6'),
      smoothstep(moon, moon * 0.85, Math.hypot(x - moonX, y - moonY)) + 0.25 * Math.exp(-Math.hypot(x - moonX, y - moonY) * 18),
    )
  })

  const glow = pick(random, [hex('#ffd68a'), hex('#ffe9c2'), hex('#ffc46b')])
  for (let layer = 0; layer < 3; layer++) {
    let x = -0.05
    while (x < canvas.aspect) {
      const wide = between(random, 0.05, 0.16) * (0.7 + 0.25 * layer)
      const tall = between(random, 0.1, 0.52) * mix(1.15, 0.75, layer / 2)
      const wall = blend(scale(low, 0.55), hex('#0d1220'), 0.35 + 0.28 * layer)
      const cell = between(random, 0.011, 0.02)
      const lit = between(random, 0.15, 0.55)
      const tint = blend(glow, hsl(random.next(), 0.6, 0.7), random.next() < 0.2 ? 0.6 : 0.1)
      const left = x
      const roof = water - tall
      const salt = random.integer(1000)
      canvas.paint(left, roof, left + wide, water, (px, py) => {
        const column = Math.floor((px - left) / cell)
        const row = Math.floor((py - roof) / (cell * 1.5))
        const inX = ((px - left) / cell) % 1
        const inY = ((py - roof) / (cell * 1.5)) % 1
        const isWindow = inX > 0.25 && inX < 0.8 && inY > 0.3 && inY < 0.8 && row > 0
        const on = noise.at(column * 7.3 + salt, row * 5.7 + salt) * 0.5 + 0.5 < lit
        if (isWindow && on) return [scale(tint, 0.6 + 0.5 * Math.abs(noise.at(column * 3.1, row * 9.7 + salt))), 1]
        return [scale(wall, (isWindow ? 0.75 : 1) + 0.25 * (1 - (py - roof) / tall)), 1]
      })
      if (random.next() < 0.25) canvas.paint(left + wide / 2 - 0.0015, roof - 0.07, left + wide / 2 + 0.0015, roof, () => [wall, 1])
      x += wide * between(random, 0.85, 1.5)
    }
  }

  // The river: what stands above, drawn out downwards.
  const { data } = canvas
  const first = Math.ceil(water * height)
  for (let row = first; row < height; row++) {
    const depth = (row - first) / height
    for (let column = 0; column < width; column++) {
      const ripple = noise.fbm((column / height) * 8, depth * 120, 3)
      const fromRow = clamp(Math.round(first - 2 - (row - first) * 1.3 - ripple * 6), 0, first - 1)
      const fromColumn = clamp(Math.round(column + ripple * (2 + depth * 40)), 0, width - 1)
      const from = (fromRow * width + fromColumn) * 3
      const at = (row * width + column) * 3
      for (let channel = 0; channel < 3; channel++) data[at + channel] = data[from + channel]! * (0.75 - depth * 0.8) + top[channel]! * 0.25
    }
  }
  canvas.vignette(0.3)
  return { canvas }
}

/** Stars, the Milky Way or an aurora above a dark horizon. */
export const stars: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const aurora = random.next() < 0.5
  const deep = pick(random, [hex('#050814'), hex('#0a1030'), hex('#0d0a22')])
  const low = pick(random, [hex('#1d2a52'), hex('#2c2348'), hex('#12384a')])
  const angle = between(random, 0.3, 1.2) * (random.next() < 0.5 ? 1 : -1)
  const centre = between(random, 0.3, 0.7) * canvas.aspect
  const warm = pick(random, [hex('#c9a58a'), hex('#a9a0d8'), hex('#d08fa0')])
  const curtain = pick(random, [hsl(0.4, 0.8, 0.5), hsl(0.33, 0.7, 0.5), hsl(0.82, 0.6, 0.55)])
  const land = between(random, 0.75, 0.92)
  const crest = Float32Array.from({ length: width }, (_, column) => {
    const x = column / height
    return land - 0.12 * noise.fbm(x * 1.4, 11, 4) - 0.03 * Math.max(0, noise.at(x * 40, 3)) * Math.abs(noise.at(x * 130, 8))
  })

  canvas.fill((x, y, column) => {
    if (y > crest[column]!) return scale(deep, 0.5 + 0.3 * noise.fbm(x * 20, y * 40, 3))
    let colour = blend(deep, low, y ** 1.8)
    if (aurora) {
      const fold = noise.fbm(x * 1.6 + 3, 5, 3) * 0.18 + 0.48
      const rays = 0.6 + 0.4 * noise.fbm(x * 26, y * 1.5, 3)
      const above = fold - y
      const strength = above > 0 ? Math.exp(-above * 5) : Math.exp(above * 40)
      colour = blend(colour, blend(curtain, hsl(0.85, 0.5, 0.5), clamp(above * 2.2)), clamp(strength * rays * 0.85))
    } else {
      const across = (x - centre) * Math.cos(angle) + (y - 0.4) * Math.sin(angle)
      const cloud = noise.fbm(x * 3, y * 3, 6, 0.6)
      const band = Math.exp(-((across / 0.16) ** 2))
      const dust = smoothstep(0, 0.5, noise.fbm(x * 5 + 20, y * 5, 5)) * Math.exp(-((across / 0.07) ** 2))
      colour = blend(colour, warm, clamp(band * (0.42 + 0.4 * cloud) - dust * 0.35))
    }
    return colour
  })
  const count = 500 + random.integer(900)
  for (let star = 0; star < count; star++) {
    const x = random.next() * canvas.aspect
    const y = random.next()
    const brightness = random.next() ** 5
    if (y > crest[Math.min(width - 1, Math.floor(x * height))]!) continue
    canvas.disc(x, y, (0.9 + 2.2 * brightness) / height, hsl(pick(random, [0.6, 0.08, 0.12]), 0.4, 0.85), {
      alpha: 0.35 + 0.65 * brightness,
      edge: 0.9,
      add: true,
    })
  }
  return { canvas }
}

/** Lights out of focus. */
export const bokeh: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const hue = random.next()
  const dark = hsl(hue, 0.5, 0.07)
  const lighter = hsl(hue + 0.1, 0.5, 0.2)
  canvas.fill((x, y) => blend(dark, lighter, 0.5 + 0.5 * noise.fbm(x * 1.3, y * 1.3, 3)))
  const hues = Array.from({ length: 3 }, () => hue + between(random, -0.2, 0.4))
  const size = between(random, 0.03, 0.09)
  const count = 50 + random.integer(60)
  for (let light = 0; light < count; light++) {
    const x = between(random, -0.05, canvas.aspect + 0.05)
    const y = between(random, -0.05, 1.05) ** 0.9
    const radius = size * between(random, 0.5, 1.4)
    const colour: Colour = hsl(pick(random, hues), 0.85, between(random, 0.5, 0.75))
    canvas.disc(x, y, radius, colour, { alpha: between(random, 0.08, 0.45), edge: 0.12, add: true })
    canvas.disc(x, y, radius * 0.93, dark, { alpha: 0.12, edge: 0.25 })
  }
  canvas.vignette(0.4)
  return { canvas }
}
