import sharp, { type Sharp } from 'sharp'
import { findFramed, type RgbPixels, type TurnedRect } from './frame.ts'
import { miniatureOf, QUERY_MINIATURE_PX, turnedMiniature, type Miniature } from './miniature.ts'
import { turnSamples, type Turn } from './turn.ts'
import { ENCODER_PX } from './types.ts'

/** One way to look at a picture that is searched by. */
export interface QueryView extends Turn {
  name: string
  /** `framed`: the picture inside its frame; there is no such view of a picture without one. `inner`: that, or else the whole. */
  of: 'whole' | 'framed' | 'inner'
  /**
   * Taken off the cosine of what this view finds. Most queries are neither turned nor mirrored: without it,
   * four more chances of a wrong match would cost more originals than they find.
   */
  handicap: number
}

/** A query through one view. */
export interface SeenQuery {
  view: QueryView
  /** ENCODER_PX² RGB. */
  input: Uint8Array
  /** For laying it over what was found (core/search/verify.ts). */
  miniature: Miniature
}

const OTHER_WAY = 0.1

/** The views of a query; its score for a picture is the best of them. Chosen by measurement: training/encoder/ABLATIONS.md. */
export const QUERY_VIEWS: readonly QueryView[] = [
  { name: 'whole', of: 'whole', mirrored: false, turns: 0, handicap: 0 },
  { name: 'framed', of: 'framed', mirrored: false, turns: 0, handicap: 0 },
  { name: 'mirrored', of: 'inner', mirrored: true, turns: 0, handicap: OTHER_WAY },
  { name: 'turned-90', of: 'inner', mirrored: false, turns: 1, handicap: OTHER_WAY },
  { name: 'turned-180', of: 'inner', mirrored: false, turns: 2, handicap: OTHER_WAY },
  { name: 'turned-270', of: 'inner', mirrored: false, turns: 3, handicap: OTHER_WAY },
]

/** Long side in pixels at which frames are looked for. */
const FRAME_PX = 160
/** Side of the median filter before that, in pixels: lines of text and noise are thinner. */
const MEDIAN_PX = 5
/** A turned edge is blurred: so many pixels, at FRAME_PX, are cut off with the frame. */
const TURNED_EDGE = 1.5

/**
 * What is seen of a picture through every view there is of it, `whole` first. `whole` is its input as a library
 * picture has it; the picture itself gives the part inside a frame.
 */
export async function viewInputs(picture: RgbPixels, encoderInput: Uint8Array): Promise<SeenQuery[]> {
  const whole = { input: encoderInput, miniature: await miniatureOf(picture, QUERY_MINIATURE_PX) }
  const framed = await cutFrame(picture)
  const sources = { whole, framed, inner: framed ?? whole }
  return QUERY_VIEWS.flatMap((view) => {
    const source = sources[view.of]
    if (!source) return []
    const input = { data: source.input, width: ENCODER_PX, height: ENCODER_PX }
    return [{ view, input: turnSamples(input, 3, view).data, miniature: turnedMiniature(source.miniature, view) }]
  })
}

/** The picture inside its frame. */
async function cutFrame(picture: RgbPixels): Promise<Omit<SeenQuery, 'view'> | undefined> {
  const { data, info } = await raw(picture)
    .resize(FRAME_PX, FRAME_PX, { fit: 'inside', withoutEnlargement: true })
    .median(MEDIAN_PX)
    .raw()
    .toBuffer({ resolveWithObject: true })
  const rect = findFramed({ data, width: info.width, height: info.height })
  if (!rect) return undefined
  const part = await cutTurned(picture, rect, picture.width / info.width)
  const [input, miniature] = await Promise.all([
    raw(part).resize(ENCODER_PX, ENCODER_PX, { fit: 'fill', kernel: 'lanczos3' }).raw().toBuffer(),
    miniatureOf(part, QUERY_MINIATURE_PX),
  ])
  return { input, miniature }
}

/** What lies in a rectangle, set upright. `scale`: pixels of the picture for one of the rectangle's. */
async function cutTurned(picture: RgbPixels, rect: TurnedRect, scale: number): Promise<RgbPixels> {
  const turned = rect.angle === 0 ? picture : await rgb(raw(picture).rotate((-rect.angle * 180) / Math.PI))
  // Turned about the middle, the canvas grown to hold all: the rectangle's centre turns with it.
  const [dx, dy] = [rect.x * scale - picture.width / 2, rect.y * scale - picture.height / 2]
  const [cos, sin] = [Math.cos(rect.angle), Math.sin(rect.angle)]
  const centre = { x: turned.width / 2 + dx * cos + dy * sin, y: turned.height / 2 + dy * cos - dx * sin }
  const edge = rect.angle === 0 ? 0 : TURNED_EDGE
  const [width, height] = [(rect.width - edge) * scale, (rect.height - edge) * scale]
  const left = Math.min(Math.max(0, Math.round(centre.x - width / 2)), turned.width - 1)
  const top = Math.min(Math.max(0, Math.round(centre.y - height / 2)), turned.height - 1)
  const size = {
    width: Math.min(turned.width - left, Math.max(1, Math.round(width))),
    height: Math.min(turned.height - top, Math.max(1, Math.round(height))),
  }
  return rgb(raw(turned).extract({ left, top, ...size }))
}

function raw({ data, width, height }: RgbPixels) {
  return sharp(data, { raw: { width, height, channels: 3 } })
}

async function rgb(pipeline: Sharp): Promise<RgbPixels> {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}
