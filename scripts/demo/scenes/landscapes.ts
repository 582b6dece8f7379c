import type { Random } from '../../../core/random.ts'
import { between, blend, Canvas, clamp, css, hex, hsl, mix, Noise, pick, scale, smoothstep, type Colour, type Scene } from '../paint.ts'
import { makeSky, SKIES } from './sky.ts'

interface Ridge {
  /** The crest's y for each column. */
  crest: Float32Array
  rock: Colour
  /** 0 the nearest, 1 the farthest. */
  far: number
}

/** Ranges one behind the other, fading into haze; often over a lake that mirrors them. */
export const mountains: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const horizon = between(random, 0.5, 0.7)
  const sky = makeSky(random, noise, canvas.aspect, horizon, [
    SKIES.noon,
    SKIES.morning,
    SKIES.dawn,
    SKIES.dusk,
    SKIES.golden,
    SKIES.overcast,
  ])
  const rockHue = pick(random, ['#4d5a4a', '#5b5a63', '#6a5646', '#3f5560', '#55603f'])
  const snow = random.next() < 0.6
  const lake = random.next() < 0.55
  const water = lake ? between(random, 0.66, 0.78) : 2

  const count = 4 + random.integer(3)
  const ridges: Ridge[] = []
  for (let index = 0; index < count; index++) {
    const far = 1 - index / (count - 1)
    const base = mix(lake ? water + 0.01 : 0.95, horizon, far ** 0.8)
    const rise = mix(0.12, between(random, 0.35, 0.62), Math.sin(Math.PI * (0.1 + 0.75 * far)))
    const frequency = mix(1.5, 0.8, far) * between(random, 0.7, 1.4)
    const shift = between(random, 0, 200)
    const crest = new Float32Array(width)
    for (let column = 0; column < width; column++) {
      const x = column / height
      const trees = far < 0.2 ? 0.018 * Math.abs(noise.at(x * 90, shift)) + 0.012 * noise.at(x * 30, shift) : 0
      crest[column] = base - rise * (noise.ridged(x * frequency + shift, shift, 6) - 0.35) - trees
    }
    ridges.push({ crest, rock: scale(hex(rockHue), mix(0.55, 1, far) * sky.palette.light), far })
  }

  const land = (x: number, y: number, column: number): Colour => {
    for (let index = ridges.length - 1; index >= 0; index--) {
      const { crest, rock, far } = ridges[index]!
      const depth = y - crest[column]!
      if (depth < 0) continue
      const slope = noise.fbm(x * 7 + index * 31, y * 9 - depth * 6, 5, 0.6)
      const lit = clamp(1 + 0.45 * slope + (sky.sunX > x ? 1 : -1) * 0.25 * noise.at(x * 9 + index * 7, y * 5), 0.35, 1.7)
      let colour = scale(rock, lit)
      const snowLine = 0.1 + 0.08 * slope
      if (snow && far > 0.3)
        colour = blend(
          colour,
          scale([0.95, 0.97, 1], 0.55 + 0.5 * sky.palette.light * lit * 0.8),
          1 - smoothstep(snowLine * 0.5, snowLine, depth),
        )
      return blend(colour, sky.palette.haze, far * 0.72 + depth * 0.35 * far)
    }
    return sky.at(x, y)
  }

  canvas.fill((x, y, column) => {
    if (y < water) return land(x, y, column)
    const depth = y - water
    const ripple = noise.fbm(x * 5, depth * 90, 3)
    const mirroredX = clamp(Math.round(column + ripple * depth * height * 0.09), 0, width - 1)
    const mirrored = land(mirroredX / height, Math.max(0, 2 * water - y + ripple * 0.012), mirroredX)
    const deep = scale(sky.palette.top, 0.5)
    return blend(scale(mirrored, 0.9 + 0.12 * ripple), deep, 0.15 + depth * 0.9)
  })
  canvas.vignette(0.25)
  return { canvas }
}

/** Open water to the horizon: the sun's glitter, sometimes a beach, sometimes boats. */
export const sea: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const horizon = between(random, 0.38, 0.6)
  const sky = makeSky(random, noise, canvas.aspect, horizon, [SKIES.noon, SKIES.dusk, SKIES.golden, SKIES.dawn, SKIES.storm])
  const deep = pick(random, [hex('#0d4f6c'), hex('#12405e'), hex('#1c6b74'), hex('#2c3f52')])
  const beach = random.next() < 0.5 ? between(random, 0.78, 0.88) : 2
  const sand = pick(random, [hex('#d8bf93'), hex('#c8a878'), hex('#e6d6b6')])
  const tilt = between(random, -0.12, 0.12)

  canvas.fill((x, y) => {
    if (y < horizon) return sky.at(x, y)
    const shore = beach + tilt * (x - canvas.aspect / 2) + 0.02 * noise.fbm(x * 3, 4, 3)
    const light = sky.palette.light
    if (y > shore) {
      const grain = 1 + 0.12 * noise.fbm(x * 60, y * 60, 3) + 0.1 * noise.fbm(x * 4, y * 12, 3)
      const wet = 1 - smoothstep(0.01, 0.07, y - shore)
      return scale(blend(sand, scale(sand, 0.6), wet), grain * (0.4 + 0.6 * light))
    }
    const depth = 0.05 / (y - horizon + 0.012)
    const wave = noise.fbm(x * depth * 8, depth * 40, 4, 0.6)
    const mirrored = sky.at(x + wave * 0.05, Math.max(0, horizon - (y - horizon) * 0.8))
    let colour = blend(scale(deep, 0.45 + 0.6 * light), mirrored, clamp(0.4 + 0.4 * wave - (y - horizon) * 0.5, 0.05, 0.9))
    const column = Math.exp(-(((x - sky.sunX) / (0.04 + (y - horizon) * 0.28)) ** 2))
    colour = blend(colour, sky.palette.sun, column * smoothstep(0.1, 0.55, wave) * 0.95)
    const foam = smoothstep(0.35, 0.7, noise.fbm(x * 6, y * 30, 4)) * smoothstep(0.1, 0, shore - y)
    return blend(colour, scale([0.96, 0.98, 1], 0.5 + 0.5 * light), Math.max(foam, smoothstep(0.012, 0.002, shore - y)))
  })

  let overlay = ''
  const boats = random.integer(4)
  for (let boat = 0; boat < boats; boat++) {
    const size = between(random, 0.03, 0.09) * height
    const x = between(random, 0.1, 0.9) * width
    const y = (horizon + size / height / 4) * height
    const sail = css(scale(pick(random, [hex('#ffffff'), hex('#f3e3c0'), hex('#c9463d'), hex('#e2934a')]), 0.4 + 0.6 * sky.palette.light))
    overlay += `<path d="M${x} ${y}v${-size * 1.6}l${size * 0.8} ${size * 1.35}z" fill="${sail}"/>`
    overlay += `<path d="M${x - size * 0.08} ${y - size * 0.1}v${-size * 1.2}l${-size * 0.5} ${size}z" fill="${sail}" opacity="0.85"/>`
    overlay += `<path d="M${x - size * 0.7} ${y}h${size * 1.6}l${-size * 0.25} ${size * 0.3}h${-size * 1.1}z" fill="#27303a"/>`
  }
  canvas.vignette(0.2)
  return { canvas, overlay }
}

/** Sand in smooth crests, lit from one side, rippled by wind. */
export const dunes: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const horizon = between(random, 0.3, 0.5)
  const sky = makeSky(random, noise, canvas.aspect, horizon, [SKIES.noon, SKIES.golden, SKIES.dusk, SKIES.morning])
  const sand = pick(random, [hex('#dca66a'), hex('#d8874f'), hex('#e6c48f'), hex('#c9a27e')])
  const count = 4 + random.integer(3)
  const crests = Array.from({ length: count }, (_, index) => {
    const near = index / (count - 1)
    const base = mix(horizon, 0.88, near ** 1.3)
    const shift = between(random, 0, 200)
    const frequency = between(random, 0.6, 1.5)
    return Float32Array.from(
      { length: width + 2 },
      (_, column) => base - mix(0.05, 0.16, near) * noise.fbm((column / height) * frequency + shift, shift, 2),
    )
  })
  const slant = between(random, -1.5, 1.5)

  canvas.fill((x, y, column) => {
    for (let index = count - 1; index >= 0; index--) {
      const crest = crests[index]!
      const depth = y - crest[column]!
      if (depth < 0) continue
      const near = index / (count - 1)
      const slope = (crest[column + 2]! - crest[column]!) * height * 0.5
      const ripples = Math.sin((y * 60 + x * 18 * slant + 3 * noise.fbm(x * 3, y * 3, 2)) * mix(3, 1.2, near))
      const edge = 0.1 * (1.2 + noise.at(x * 2, index * 9)) * smoothstep(0.02, 0.25, slope)
      const shadow = smoothstep(edge, edge * 0.75, depth) * smoothstep(0.02, 0.12, slope) * 0.45
      const lit = clamp(1 - slope * 0.5 - shadow + 0.07 * ripples * near + 0.05 * noise.fbm(x * 80, y * 80, 2), 0.3, 1.35)
      return blend(scale(sand, lit * (0.35 + 0.65 * sky.palette.light)), sky.palette.haze, (1 - near) * 0.5)
    }
    return sky.at(x, y)
  })
  canvas.vignette(0.25)
  return { canvas }
}

/** A meadow up to the horizon with flowers that grow towards the viewer. */
export const meadow: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const horizon = between(random, 0.3, 0.48)
  const sky = makeSky(random, noise, canvas.aspect, horizon, [SKIES.noon, SKIES.morning, SKIES.golden, SKIES.overcast])
  const grass = pick(random, [hex('#5c8a35'), hex('#3f7a3c'), hex('#8a9a3e'), hex('#a89a4a')])
  const hill = Float32Array.from({ length: width }, (_, column) => horizon - 0.05 * noise.fbm((column / height) * 1.5, 70, 4))

  canvas.fill((x, y, column) => {
    const depth = y - hill[column]!
    if (depth < 0) return sky.at(x, y)
    const near = depth / (1 - horizon)
    const blades = noise.fbm(x * 75, (y * 22) / (0.3 + near), 4, 0.65)
    const patches = noise.fbm(x * 2 + 40, y * 7, 3)
    const colour = scale(grass, clamp(0.8 + 0.35 * blades + 0.25 * patches, 0.25, 1.5) * (0.4 + 0.6 * sky.palette.light))
    return blend(colour, sky.palette.haze, 0.55 * Math.exp(-near * 9))
  })

  const petals = Array.from({ length: 1 + random.integer(3) }, () =>
    pick(random, [
      hsl(0, 0.8, 0.5),
      hsl(0.13, 0.95, 0.55),
      hsl(0.75, 0.5, 0.6),
      hsl(0.92, 0.7, 0.7),
      hsl(0, 0, 0.97),
      hsl(0.62, 0.6, 0.55),
    ]),
  )
  const flowers = Array.from({ length: 90 + random.integer(120) }, () => ({ x: random.next() * width, near: random.next() ** 1.7 })).sort(
    (a, b) => a.near - b.near,
  )
  let overlay = ''
  for (const { x, near } of flowers) {
    const y = (horizon + 0.03 + near * (1 - horizon)) * height
    const size = (0.003 + 0.028 * near) * height * between(random, 0.7, 1.3)
    const colour = scale(pick(random, petals), (0.45 + 0.55 * sky.palette.light) * between(random, 0.85, 1.1))
    if (near > 0.15)
      overlay += `<path d="M${x.toFixed(1)} ${y.toFixed(1)}q${(size * 0.4).toFixed(1)} ${size.toFixed(1)} 0 ${(size * 3).toFixed(1)}" stroke="${css(scale(grass, 0.6))}" stroke-width="${(size * 0.18).toFixed(1)}" fill="none"/>`
    overlay += `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${random.integer(90)}) scale(1 ${between(random, 0.6, 1).toFixed(2)})" fill="${css(colour)}">`
    for (let petal = 0; petal < 6; petal++)
      overlay += `<ellipse cx="${(size * 0.6).toFixed(1)}" rx="${(size * 0.55).toFixed(1)}" ry="${(size * 0.3).toFixed(1)}" transform="rotate(${petal * 60})"/>`
    overlay += `<circle r="${(size * 0.3).toFixed(1)}" fill="${near > 0.2 ? '#e0b13a' : css(scale(colour, 0.8))}"/></g>`
  }
  canvas.vignette(0.2)
  return { canvas, overlay }
}

/** Balloons over low hills. */
export const balloons: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const horizon = between(random, 0.72, 0.86)
  const sky = makeSky(random, noise, canvas.aspect, horizon, [SKIES.noon, SKIES.morning, SKIES.dawn, SKIES.golden])
  const hills = scale(pick(random, [hex('#6b7d4a'), hex('#a07a55'), hex('#5c6f7a')]), 0.5 + 0.5 * sky.palette.light)
  const crests = [0, 1, 2].map((index) =>
    Float32Array.from(
      { length: width },
      (_, column) => horizon + index * 0.06 - 0.07 * noise.fbm((column / height) * (1.2 + index), index * 50, 4),
    ),
  )
  canvas.fill((x, y, column) => {
    for (let index = 2; index >= 0; index--) {
      if (y < crests[index]![column]!) continue
      return blend(scale(hills, 0.95 - 0.18 * index + 0.3 * noise.fbm(x * 12, y * 30, 4)), sky.palette.haze, 0.55 - 0.22 * index)
    }
    return sky.at(x, y)
  })

  const count = 2 + random.integer(6)
  let overlay = ''
  for (let index = 0; index < count; index++) {
    const radius = between(random, 0.035, index === 0 ? 0.2 : 0.11) * height
    const x = between(random, 0.1, 0.9) * width
    const y = between(random, 0.18, 0.6) * height
    overlay += balloon(random, x, y, radius, index)
  }
  canvas.vignette(0.2)
  return { canvas, overlay }
}

function balloon(random: Random, x: number, y: number, r: number, index: number): string {
  const hue = random.next()
  const colours = [hsl(hue, 0.75, 0.52), hsl(hue + between(random, 0.08, 0.5), 0.8, 0.6)]
  const id = `balloon${index}`
  const shape = `M0 ${1.35 * r}C${-0.35 * r} ${0.95 * r} ${-r} ${0.6 * r} ${-r} 0A${r} ${r} 0 0 1 ${r} 0C${r} ${0.6 * r} ${0.35 * r} ${0.95 * r} 0 ${1.35 * r}z`
  const gores = 5 + random.integer(4)
  let stripes = ''
  for (let gore = gores; gore >= 1; gore--) {
    const half = r * Math.sin((gore / gores) * (Math.PI / 2))
    stripes += `<ellipse cy="${0.15 * r}" rx="${half.toFixed(1)}" ry="${1.3 * r}" fill="${css(colours[gore % 2]!)}"/>`
  }
  return `<g transform="translate(${x.toFixed(1)} ${y.toFixed(1)})"><clipPath id="${id}"><path d="${shape}"/></clipPath>
    <radialGradient id="${id}s" cx="0.3" cy="0.25" r="0.9"><stop offset="0" stop-color="#fff" stop-opacity="0.5"/><stop offset="0.45" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity="0.5"/></radialGradient>
    <g clip-path="url(#${id})">${stripes}</g><path d="${shape}" fill="url(#${id}s)"/>
    <path d="M${-0.12 * r} ${1.34 * r}L${-0.1 * r} ${1.6 * r}M${0.12 * r} ${1.34 * r}L${0.1 * r} ${1.6 * r}" stroke="#3a2f28" stroke-width="${0.02 * r}"/>
    <rect x="${-0.13 * r}" y="${1.58 * r}" width="${0.26 * r}" height="${0.2 * r}" rx="${0.03 * r}" fill="#6b4a2f"/></g>`
}

/** Nothing but clouds, seen from among them. */
export const clouds: Scene = (random, width, height) => {
  const canvas = new Canvas(width, height)
  const noise = new Noise(random)
  const palette = pick(random, [SKIES.noon, SKIES.dusk, SKIES.dawn, SKIES.golden, SKIES.storm])
  const size = between(random, 1.2, 2.6)
  const cover = between(random, -0.05, 0.25)
  const fromX = between(random, -1, 1)
  canvas.fill((x, y) => {
    const warpX = noise.fbm(x * size + 5, y * size * 1.4 + 8, 3)
    const warpY = noise.fbm(x * size + 50, y * size * 1.4 + 80, 3)
    const density = (dx: number, dy: number) => noise.fbm(x * size + warpX * 0.6 + dx, y * size * 1.5 + warpY * 0.6 + dy, 6, 0.52)
    const here = density(0, 0)
    const towardsLight = density(0.12 * fromX, -0.15)
    const lit = clamp(0.72 + 0.8 * (here - towardsLight), 0.3, 1.15)
    const sky = blend(palette.top, palette.horizon, y ** 1.3)
    const shaded = blend(scale(palette.top, 0.8), palette.cloud, lit)
    return blend(sky, blend(shaded, palette.sun, smoothstep(0.95, 1.15, lit) * 0.7), smoothstep(-0.25, 0.35, here + cover))
  })
  canvas.vignette(0.15)
  return { canvas }
}
