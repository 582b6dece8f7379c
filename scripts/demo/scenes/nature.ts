import { between, blend, Canvas, clamp, css, hex, hsl, mix, Noise, pick, scale, smoothstep, type Scene } from '../paint.ts'

/** Trunks that fade into mist, under a canopy. */
export const forest: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const season = pick(random, [
    { leaf: hex('#5d8f3a'), mist: hex('#dbe6c4'), ground: hex('#4d5a2c') },
    { leaf: hex('#d98a2b'), mist: hex('#f6e0b5'), ground: hex('#9a5a24') },
    { leaf: hex('#3f6b4f'), mist: hex('#c8d6d8'), ground: hex('#38452f') },
    { leaf: hex('#b8432f'), mist: hex('#efd3c0'), ground: hex('#7a3d28') },
    { leaf: hex('#dfe6ea'), mist: hex('#eef2f5'), ground: hex('#d5dde3') },
  ])
  const bark = pick(random, [hex('#3b2f27'), hex('#4a4038'), hex('#d9d5cc'), hex('#5a3d2c')])
  const ground = between(random, 0.62, 0.78)
  const lightX = between(random, 0.2, 0.8) * canvas.aspect
  const lightY = between(random, 0.2, 0.5)
  canvas.fill((x, y) => {
    const glow = Math.exp(-Math.hypot(x - lightX, y - lightY) * 2)
    const far = blend(scale(season.mist, 0.72), scale(season.mist, 1.08), glow)
    const leaves = noise.fbm(x * 14, y * 14, 4, 0.6)
    return blend(far, season.leaf, clamp(0.28 + 0.35 * leaves - y * 0.2 - glow * 0.3))
  })

  const layers = 4
  for (let layer = 0; layer < layers; layer++) {
    const near = (layer + 1) / layers
    const foot = mix(ground - 0.06, ground + 0.2, near ** 2)
    const colour = blend(season.mist, bark, 0.25 + 0.75 * near)
    const trunks = Math.round(mix(16, 3, near) * between(random, 0.7, 1.3))
    for (let trunk = 0; trunk < trunks; trunk++) {
      const x = between(random, -0.02, 1.02) * canvas.aspect
      const half = mix(0.006, 0.055, near ** 1.6) * between(random, 0.6, 1.3)
      const lean = between(random, -0.06, 0.06)
      const salt = random.next() * 100
      canvas.paint(x - half * 2 - Math.abs(lean), 0, x + half * 2 + Math.abs(lean), foot, (px, py) => {
        const centre = x + lean * (foot - py) + 0.01 * noise.at(py * 4, salt)
        const flare = half * (1 + 0.6 * smoothstep(foot - 0.08, foot, py))
        const across = (px - centre) / flare
        if (Math.abs(across) > 1) return undefined
        const texture = noise.fbm(px * 60 + salt, py * 9, 4, 0.6)
        const round = 1 - 0.55 * Math.abs(across + (lightX > x ? -0.35 : 0.35)) ** 1.5
        return [scale(colour, clamp(round + 0.35 * texture * near, 0.2, 1.4)), smoothstep(1, 0.9, Math.abs(across))]
      })
    }
    // Leaves of this layer, and the ground under it.
    const cover = between(random, -0.15, 0.15)
    const frequency = mix(9, 4, near)
    const leaf = blend(season.mist, season.leaf, 0.35 + 0.6 * near)
    canvas.paint(0, 0, canvas.aspect, 0.55, (px, py) => {
      const density = noise.fbm(px * frequency + layer * 40, py * frequency, 5, 0.62) + cover - py * 2.1 * mix(0.7, 1.1, near) + 0.28
      if (density < 0) return undefined
      return [scale(leaf, 0.75 + 0.55 * noise.fbm(px * 40, py * 40 + layer, 3)), smoothstep(0, 0.12, density)]
    })
    const soil = blend(season.mist, season.ground, 0.3 + 0.7 * near)
    canvas.paint(0, foot - 0.05, canvas.aspect, 1, (px, py) => {
      const edge = foot - 0.03 + 0.02 * noise.fbm(px * 5, layer * 9, 3)
      if (py < edge) return undefined
      return [scale(soil, 0.85 + 0.4 * noise.fbm(px * 22, py * 60, 5, 0.6)), smoothstep(edge, edge + 0.012, py)]
    })
  }
  canvas.vignette(0.35)
  return { canvas }
}

/** A leaf from so near that its veins are roads. */
export const leaf: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const colour = pick(random, [hex('#4f9a3c'), hex('#2f7a4a'), hex('#9ab83c'), hex('#c4572e'), hex('#d9a53a'), hex('#7a3550')])
  const angle = between(random, -0.9, 0.9)
  const spacing = between(random, 0.09, 0.2)
  const slant = between(random, 0.5, 1.1)
  const centre = between(random, 0.35, 0.65)
  const bend = between(random, -0.4, 0.4)
  canvas.fill((x, y) => {
    const px = x - canvas.aspect / 2
    const py = y - centre
    const along = px * Math.cos(angle) + py * Math.sin(angle)
    const across = -px * Math.sin(angle) + py * Math.cos(angle) + bend * along * along
    const offset = Math.abs(across)
    const phase = (along - offset * slant + 0.02 * noise.fbm(x * 4, y * 4, 2) + (across > 0 ? spacing / 2 : 0)) / spacing
    const toVein = Math.abs(phase - Math.round(phase)) * spacing
    const main = Math.exp(-((offset / (0.012 + 0.006 * (canvas.aspect / 2 - along))) ** 2))
    const side = Math.exp(-((toVein / 0.0055) ** 2)) * smoothstep(0.75, 0, offset)
    const cells = noise.ridged(x * 30, y * 30, 3)
    const bulge = 0.75 + 0.5 * Math.sin(Math.PI * Math.abs(phase - Math.round(phase)) * 1.2)
    const lit = clamp(bulge * (0.85 + 0.2 * noise.fbm(x * 3, y * 3, 4)) - 0.16 * smoothstep(0.62, 0.85, cells) - 0.15 * offset, 0.2, 1.4)
    return blend(scale(colour, lit), blend(colour, [0.96, 0.97, 0.8], 0.55), clamp(main + side * 0.7))
  })
  const drops = random.integer(14)
  for (let drop = 0; drop < drops; drop++) {
    const x = random.next() * canvas.aspect
    const y = random.next()
    const radius = between(random, 0.012, 0.05)
    canvas.disc(x + radius * 0.12, y + radius * 0.2, radius * 1.05, scale(colour, 0.3), { alpha: 0.5, edge: 0.4 })
    canvas.disc(x, y, radius, scale(colour, 1.15), { alpha: 0.6, edge: 0.08 })
    canvas.disc(x + radius * 0.25, y + radius * 0.35, radius * 0.6, blend(colour, [1, 1, 0.9], 0.6), { alpha: 0.6, edge: 0.9 })
    canvas.disc(x - radius * 0.35, y - radius * 0.4, radius * 0.2, [1, 1, 1], { alpha: 0.95, edge: 0.5 })
  }
  canvas.vignette(0.35)
  return { canvas }
}

/** One blossom against a soft ground. */
export const blossom: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const hue = random.next()
  const petal = hsl(hue, between(random, 0.45, 0.9), between(random, 0.5, 0.75))
  const heart = pick(random, [hex('#e8b93a'), hex('#5a3b1e'), hex('#f3e6a0'), hex('#7a2f4a')])
  const behind = pick(random, [hex('#3d5a34'), hex('#22382c'), hex('#8a9a6a'), hex('#4a3f55'), hex('#a9b8c4')])
  const centreX = between(random, 0.35, 0.65) * canvas.aspect
  const centreY = between(random, 0.4, 0.6)
  const layers = 1 + random.integer(3)
  const count = 5 + random.integer(10)
  const size = between(random, 0.3, 0.52)
  const turn = random.next() * 6.28
  const pointed = between(random, 0.35, 1.1)

  canvas.fill((x, y) => {
    const ground = scale(behind, 0.75 + 0.45 * noise.fbm(x * 1.6, y * 1.6, 2) + 0.1 * noise.fbm(x * 5, y * 5, 2))
    const dx = x - centreX
    const dy = y - centreY
    const radius = Math.hypot(dx, dy)
    const around = Math.atan2(dy, dx)
    let colour = ground
    for (let layer = 0; layer < layers; layer++) {
      const reach = size * (1 - 0.27 * layer)
      const phase = ((around + turn + (layer * Math.PI) / count) * count) / (2 * Math.PI)
      const across = (phase - Math.round(phase)) * 2
      const outline = reach * (0.45 + 0.55 * Math.cos((across * Math.PI) / 2) ** pointed) * (1 + 0.04 * noise.at(around * 6, layer * 9))
      const inside = smoothstep(outline, outline * 0.985, radius)
      if (inside === 0) {
        // The shadow that this layer throws on what lies below.
        colour = scale(colour, 1 - 0.25 * smoothstep(outline * 1.12, outline, radius))
        continue
      }
      const streaks = noise.fbm(around * 30 + layer * 20, radius * 4, 4)
      const lit = clamp(
        0.55 + 0.5 * (radius / reach) + 0.22 * Math.cos((across * Math.PI) / 2) + 0.14 * streaks - 0.18 * dx + 0.05 * layer,
        0.25,
        1.35,
      )
      const tinted = blend(petal, heart, 0.5 * smoothstep(reach * 0.5, reach * 0.1, radius))
      colour = blend(colour, scale(tinted, lit), inside)
    }
    const seeds = 0.8 + 0.5 * noise.fbm(x * 70, y * 70, 2)
    return blend(colour, scale(heart, seeds * (1.1 - radius * 2)), smoothstep(size * 0.2, size * 0.17, radius))
  })
  canvas.vignette(0.3)
  return { canvas }
}

/** A head and shoulders before soft lights, as simple as a painted tile. */
export const portrait: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const room = hsl(random.next(), between(random, 0.1, 0.45), between(random, 0.2, 0.65))
  canvas.fill((x, y) => scale(room, 0.8 + 0.4 * noise.fbm(x * 1.2, y * 1.2, 3) + 0.2 * (1 - y)))
  for (let light = random.integer(16); light > 0; light--) {
    canvas.disc(random.next() * canvas.aspect, random.next() * 0.8, between(random, 0.03, 0.12), blend(room, [1, 0.95, 0.85], 0.7), {
      alpha: 0.25,
      edge: 0.15,
    })
  }
  const skin = pick(random, [hex('#f0c8a8'), hex('#e0ac85'), hex('#c58c62'), hex('#8d5a3b'), hex('#5f3b28')])
  const hair = pick(random, [hex('#2a1f1a'), hex('#5b3a22'), hex('#b98a4a'), hex('#8a8580'), hex('#7a2f20'), hex('#15161c')])
  const cloth = hsl(random.next(), between(random, 0.2, 0.7), between(random, 0.25, 0.6))
  const stripe = random.next() < 0.5 ? between(random, 30, 90) : 0
  const x0 = between(random, 0.4, 0.6) * canvas.aspect
  const y0 = between(random, 0.38, 0.46)
  const r = between(random, 0.17, 0.22)
  const fromLeft = random.next() < 0.5 ? -1 : 1
  const longHair = random.next() < 0.5

  const round = (px: number, py: number, cx: number, cy: number, rx: number, ry: number) => {
    const dx = (px - cx) / rx
    const dy = (py - cy) / ry
    const distance = Math.hypot(dx, dy)
    return { cover: smoothstep(1, 0.97, distance), lit: 0.82 + 0.3 * (dx * fromLeft * 0.7 - dy * 0.45) * (0.4 + 0.6 * distance) }
  }
  canvas.paint(0, 0, canvas.aspect, 1, (px, py) => {
    if (!longHair) return undefined
    const back = round(px, py, x0, y0 + r * 0.65, r * 1.25, r * 2)
    return [scale(hair, back.lit * (0.75 + 0.3 * noise.fbm(px * 50, py * 6, 3))), back.cover]
  })
  canvas.paint(x0 - r, y0, x0 + r, 1, (px, py) => {
    const neck = round(px, py, x0, y0 + r * 1.1, r * 0.4, r * 0.85)
    return [scale(skin, neck.lit * 0.82), neck.cover]
  })
  canvas.paint(0, 0, canvas.aspect, 1, (px, py) => {
    const shoulders = round(px, py, x0, y0 + r * 1.45 + 0.55, r * 2.2, 0.55)
    const weave =
      stripe > 0 ? 1 + 0.15 * Math.sign(Math.sin((py + 0.2 * Math.abs(px - x0)) * stripe)) : 1 + 0.08 * noise.fbm(px * 60, py * 60, 3)
    return [scale(cloth, shoulders.lit * weave), shoulders.cover]
  })
  canvas.paint(x0 - r * 1.5, 0, x0 + r * 1.5, 1, (px, py) => {
    const head = round(px, py, x0, y0, r * 0.78, r * 1.05)
    return [scale(skin, head.lit * (1 + 0.04 * noise.fbm(px * 30, py * 30, 3))), head.cover]
  })
  const fringe = between(random, 0.35, 0.65)
  canvas.paint(x0 - r * 1.5, 0, x0 + r * 1.5, 1, (px, py) => {
    const cap = round(px, py, x0, y0 - r * 0.2, r * 0.88, r * 1.02)
    const line = y0 - r * fringe + (0.35 * (px - x0) ** 2) / r + 0.012 * noise.at(px * 60, 3)
    return [scale(hair, cap.lit * (0.8 + 0.35 * noise.fbm(px * 70, py * 9, 3))), cap.cover * smoothstep(line + 0.008, line, py)]
  })
  const s = r * height
  const at = (dx: number, dy: number) => `translate(${(x0 * height + dx * s).toFixed(1)} ${(y0 * height + dy * s).toFixed(1)})`
  const shade = css(scale(skin, 0.55))
  let overlay = ''
  for (const side of [-1, 1]) {
    overlay += `<g transform="${at(side * 0.32, -0.02)}"><ellipse rx="${s * 0.12}" ry="${s * 0.062}" fill="#f6f1ea"/><circle r="${s * 0.058}" fill="${css(scale(hair, 0.8))}"/><circle cx="${s * 0.015}" cy="${-s * 0.02}" r="${s * 0.014}" fill="#fff"/>
      <path d="M${-s * 0.15} ${-s * 0.13}q${s * 0.15} ${-s * 0.09} ${s * 0.3} 0" stroke="${css(hair)}" stroke-width="${s * 0.045}" fill="none" stroke-linecap="round"/></g>`
  }
  overlay += `<path transform="${at(0, 0.08)}" d="M0 0q${-s * 0.09 * fromLeft} ${s * 0.24} 0 ${s * 0.3}q${s * 0.05 * fromLeft} ${s * 0.02} ${s * 0.09 * fromLeft} ${-s * 0.02}" stroke="${shade}" stroke-width="${s * 0.03}" fill="none" stroke-linecap="round"/>`
  overlay += `<path transform="${at(-0.2, 0.6)}" d="M0 0q${s * 0.2} ${s * between(random, 0.05, 0.16)} ${s * 0.4} 0q${-s * 0.2} ${-s * 0.05} ${-s * 0.4} 0z" fill="${css(blend(skin, hex('#b23a48'), 0.6))}"/>`
  canvas.vignette(0.3)
  return { canvas, overlay }
}
