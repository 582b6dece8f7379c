import type { Random } from '../../core/random.ts'

/**
 * A small stroke font drawn as SVG paths, so that pictures with text come out the same on every machine,
 * whatever fonts it has. Glyphs lie on a grid of 4 × 8 units: capitals from 0 to 6, small letters from 2 to 6,
 * descenders to 8. Each stroke is a polyline written as pairs of digits, x then y.
 */
const GLYPHS: Record<string, string> = {
  A: '062046 1434',
  B: '06003041423303 3344453606',
  C: '4130100105163645',
  D: '00062644422000',
  E: '40000646 0333',
  F: '400006 0333',
  G: '41301001051636454323',
  H: '0006 4046 0343',
  I: '1030 2026 1636',
  J: '4045361605',
  K: '0006 4004 2246',
  L: '000646',
  M: '0600234046',
  N: '06004640',
  O: '103041453616050110',
  P: '06003041423303',
  Q: '103041453616050110 2447',
  R: '06003041423303 2346',
  S: '413010010213334445361605',
  T: '0040 2026',
  U: '000516364540',
  V: '002640',
  W: '0016233640',
  X: '0046 4006',
  Y: '002340 2326',
  Z: '00400646',
  a: '12324346 441405163645',
  b: '0006 0312324345361605',
  c: '4332120305163645',
  d: '4046 4332120305163645',
  e: '044443321203051636',
  f: '40302126 1333',
  g: '4332120305163645 4247381807',
  h: '0006 0312324346',
  i: '2226 2020',
  j: '22271808 2020',
  k: '0006 4204 1346',
  l: '10202536',
  m: '0206 03122326 23324346',
  n: '0206 0312324346',
  o: '123243453616050312',
  p: '0208 0312324345361605',
  q: '4248 4332120305163645',
  r: '0206 03123243',
  s: '43321203143445361605',
  t: '10152636 0232',
  u: '020516364542 4246',
  v: '022642',
  w: '0216243642',
  x: '0246 4206',
  y: '0225 4218',
  z: '02420646',
  0: '103041453616050110 3115',
  1: '112026 1636',
  2: '01103041420646',
  3: '01103041423323 334445361605',
  4: '36300444',
  5: '400003334445361605',
  6: '4130100105163645443303',
  7: '004016',
  8: '103041423313020110 130405163645443313',
  9: '4313020110304145361605',
  '.': '2626',
  ',': '262718',
  ':': '2323 2626',
  '-': '1333',
  '/': '4006',
  '%': '4006 0101 4545',
  '!': '2024 2626',
  '?': '01103041422324 2626',
}

/** Horizontal step from one letter to the next, in grid units. */
const ADVANCE = 5.6
/** Height of a capital, in grid units. */
const CAPITAL = 6

export interface TextStyle {
  /** Left end of the text and top of its capitals, in pixels. */
  x: number
  y: number
  /** Height of a capital letter, in pixels. */
  height: number
  colour: string
  /** Thickness of the strokes as a share of the height. Default 0.14. */
  weight?: number
}

/** An SVG path that shows `text` on one line; letters without a glyph leave a gap. */
export function textPath(text: string, { x, y, height, colour, weight = 0.14 }: TextStyle): string {
  const unit = height / CAPITAL
  let commands = ''
  for (const [index, letter] of [...text].entries()) {
    for (const stroke of (GLYPHS[letter] ?? '').split(' ')) {
      for (let at = 0; at + 1 < stroke.length; at += 2) {
        const px = x + (index * ADVANCE + Number(stroke[at])) * unit
        const py = y + Number(stroke[at + 1]) * unit
        commands += `${at === 0 ? 'M' : 'L'}${px.toFixed(1)} ${py.toFixed(1)}`
      }
    }
  }
  return `<path d="${commands}" fill="none" stroke="${colour}" stroke-width="${(height * weight).toFixed(2)}" stroke-linecap="round" stroke-linejoin="round"/>`
}

/** How wide `text` comes out at this height of capitals, in pixels. */
export function textWidth(text: string, height: number): number {
  return (text.length * ADVANCE * height) / CAPITAL
}

/** How many letters of this height fit into `room` pixels. */
export function lettersIn(room: number, height: number): number {
  return Math.floor((room * CAPITAL) / (ADVANCE * height))
}

const WORDS = (
  'about after again along bright brook cabin candle certain clear cloud coast copper country daily distant early evening ' +
  'field first forest found garden gentle glass golden harbour hidden hollow island journey kitchen ladder lantern light little ' +
  'market meadow memory middle morning mountain narrow notice number ocean orange outside paper pencil picture plain quiet rather ' +
  'river road season second shadow shore silver simple sketch small something station stone story street summer sunday table ' +
  'thunder timber today toward train under valley village water weather window winter without wooden yellow'
).split(' ')

/** Everyday words drawn by `random`, joined by spaces, at most `letters` long and at least one word. */
export function randomWords(random: Random, letters: number): string {
  let text = pick(random)
  for (;;) {
    const longer = `${text} ${pick(random)}`
    if (longer.length > letters) return text
    text = longer
  }
}

function pick(random: Random): string {
  return WORDS[random.integer(WORDS.length)]!
}
