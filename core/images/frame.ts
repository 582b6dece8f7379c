/** Interleaved RGB bytes, width × height × 3. */
export interface RgbPixels {
  data: Uint8Array
  width: number
  height: number
}

/** A rectangle turned clockwise by `angle` radians about its centre (x, y), in pixels. */
export interface TurnedRect {
  x: number
  y: number
  width: number
  height: number
  angle: number
}

/** Two colours belong to one surface when no channel differs by more levels. */
const TOLERANCE = 20
/** A frame has at most so many colours (a window: title bar, side bar, page)… */
const COLOURS = 4
/** …each covering at least this share of the outermost ring of pixels… */
const COLOUR_SHARE = 0.08
/** …and all of them this much of it: what a picture shows at its own edge varies more. */
const FRAME_SHARE = 0.45
/** What fills less of the whole is a speck; what fills more has no frame worth cutting. */
const LEAST = 0.04
const MOST = 0.93
/** The part that was found fills at least this much of its rectangle. */
const FILLED = 0.6
/** A gap of one pixel does not part what belongs together. */
const REACH = 2
/** An upright rectangle is taken unless a turned one is smaller by more than this share. */
const TURN_GAIN = 0.05

/**
 * The picture inside what was put around it (bars, a mat, the fill of a rotation, a window or a page): the
 * largest connected part without the colours of the border, as the smallest rectangle around it at any angle
 * within ±45°. Undefined when the border is no frame.
 *
 * Meant for some 160 pixels on the long side, after a median filter of 5 pixels, which takes noise and
 * lines of text away. Some 2 ms.
 */
export function findFramed(picture: RgbPixels): TurnedRect | undefined {
  const colours = frameColours(picture)
  if (!colours) return undefined
  const { data, width, height } = picture
  const inside = Uint8Array.from({ length: width * height }, (_, pixel) => (colours.some((colour) => isNear(data, pixel, colour)) ? 0 : 1))
  const part = largestPart(inside, width, height)
  const rect = smallestRect(part.outline)
  const area = rect.width * rect.height
  const share = area / (width * height)
  return share >= LEAST && share <= MOST && part.size >= FILLED * area ? rect : undefined
}

type Colour = readonly [red: number, green: number, blue: number]

function isNear(data: Uint8Array, pixel: number, [red, green, blue]: Colour): boolean {
  const at = pixel * 3
  return (
    Math.abs(data[at]! - red) <= TOLERANCE && Math.abs(data[at + 1]! - green) <= TOLERANCE && Math.abs(data[at + 2]! - blue) <= TOLERANCE
  )
}

/** The few colours that most of the outermost ring has, or undefined when it has many. */
function frameColours({ data, width, height }: RgbPixels): Colour[] | undefined {
  let ring: number[] = []
  for (let x = 0; x < width; x++) ring.push(x, (height - 1) * width + x)
  for (let y = 1; y < height - 1; y++) ring.push(y * width, y * width + width - 1)
  const all = ring.length
  const colours: Colour[] = []
  while (ring.length > 0 && colours.length < COLOURS) {
    const rough = meanColour(data, commonest(data, ring))
    const near = ring.filter((pixel) => isNear(data, pixel, rough))
    if (near.length < COLOUR_SHARE * all) break
    const colour = meanColour(data, near)
    colours.push(colour)
    ring = ring.filter((pixel) => !isNear(data, pixel, rough) && !isNear(data, pixel, colour))
  }
  return all - ring.length >= FRAME_SHARE * all ? colours : undefined
}

/** The pixels that share the fullest cell of 16 × 16 × 16 levels. */
function commonest(data: Uint8Array, pixels: readonly number[]): number[] {
  const cells = new Map<number, number[]>()
  let most: number[] = []
  for (const pixel of pixels) {
    const key = ((data[pixel * 3]! >> 4) << 8) | ((data[pixel * 3 + 1]! >> 4) << 4) | (data[pixel * 3 + 2]! >> 4)
    const cell = cells.get(key) ?? []
    cells.set(key, cell)
    cell.push(pixel)
    if (cell.length > most.length) most = cell
  }
  return most
}

function meanColour(data: Uint8Array, pixels: readonly number[]): Colour {
  const mean = (channel: number) => pixels.reduce((sum, pixel) => sum + data[pixel * 3 + channel]!, 0) / pixels.length
  return [mean(0), mean(1), mean(2)]
}

interface Part {
  /** How many pixels. */
  size: number
  /** The outer corners of each row's first and last pixel: those of any rectangle around the part touch it there. */
  outline: [x: number, y: number][]
}

/** The largest set of ones that hang together; nothing where there are none. */
function largestPart(inside: Uint8Array, width: number, height: number): Part {
  const labels = new Int32Array(inside.length)
  let best = { label: -1, size: 0 }
  for (let start = 0, label = 0; start < inside.length; start++) {
    if (inside[start] === 0 || labels[start] !== 0) continue
    const size = fill(inside, labels, width, height, start, ++label)
    if (size > best.size) best = { label, size }
  }
  const outline: Part['outline'] = []
  for (let y = 0; y < height; y++) {
    const row = labels.subarray(y * width, (y + 1) * width)
    const first = row.indexOf(best.label)
    if (first < 0) continue
    const end = row.lastIndexOf(best.label) + 1
    outline.push([first, y], [end, y], [first, y + 1], [end, y + 1])
  }
  return { size: best.size, outline }
}

/** Labels all that hangs together with `start`, and counts it. */
function fill(inside: Uint8Array, labels: Int32Array, width: number, height: number, start: number, label: number): number {
  const waiting = [start]
  labels[start] = label
  let size = 0
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    size++
    const x = at % width
    const y = (at - x) / width
    for (let row = Math.max(0, y - REACH); row <= Math.min(height - 1, y + REACH); row++) {
      for (let column = Math.max(0, x - REACH); column <= Math.min(width - 1, x + REACH); column++) {
        const next = row * width + column
        if (inside[next] === 0 || labels[next] !== 0) continue
        labels[next] = label
        waiting.push(next)
      }
    }
  }
  return size
}

/** The rectangle of the least area around the points, tried degree by degree. */
function smallestRect(points: Part['outline']): TurnedRect {
  let best = rectAt(points, 0)
  let limit = best.width * best.height * (1 - TURN_GAIN)
  for (let degrees = -45; degrees <= 45; degrees++) {
    const rect = rectAt(points, (degrees * Math.PI) / 180)
    if (rect.width * rect.height >= limit) continue
    best = rect
    limit = rect.width * rect.height
  }
  return best
}

/** The rectangle around the points whose sides are turned by `angle`. */
function rectAt(points: Part['outline'], angle: number): TurnedRect {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)]
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const [x, y] of points) {
    const along = x * cos + y * sin
    const across = y * cos - x * sin
    left = Math.min(left, along)
    right = Math.max(right, along)
    top = Math.min(top, across)
    bottom = Math.max(bottom, across)
  }
  const [along, across] = [(left + right) / 2, (top + bottom) / 2]
  return { x: along * cos - across * sin, y: along * sin + across * cos, width: right - left, height: bottom - top, angle }
}
