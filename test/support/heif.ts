/** HEIC files made of the ones in test/fixtures/heic, by rewriting their boxes (ISO/IEC 14496-12 and 23008-12). */
import { readFile } from 'node:fs/promises'
import path from 'node:path'

export function heicFixture(name: 'p3' | 'turned' | 'deep' | 'alpha'): Promise<Buffer> {
  return readFile(path.resolve(import.meta.dirname, `../fixtures/heic/${name}.heic`))
}

/** A quarter turn anticlockwise so many times (6.5.10). */
export const irot = (turns: number) => box('irot', Buffer.from([turns]))
/** Mirrored: 0 top and bottom exchanged, 1 left and right (6.5.12). */
export const imir = (axis: number) => box('imir', Buffer.from([axis]))
/** Colours by code points (ISO/IEC 14496-12, 12.1.5). */
export const nclx = (primaries: number, transfer: number) =>
  box('colr', Buffer.from('nclx', 'latin1'), Buffer.from([0, primaries, 0, transfer, 0, 6, 0x80]))

export function box(type: string, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, body])
}

/** The file with properties added to its first item, in this order. Its own `colr` goes when one is added. */
export function withProperties(file: Buffer, ...properties: Buffer[]): Buffer {
  const top = boxesOf(file)
  const meta = find(top, 'meta')
  const children = boxesOf(meta.subarray(12))
  const iprp = boxesOf(find(children, 'iprp').subarray(8))
  const known = boxesOf(find(iprp, 'ipco').subarray(8))
  const replaced = properties.some((property) => typeOf(property) === 'colr')
  const kept = known.map((property) => (replaced && typeOf(property) === 'colr' ? box('free') : property))
  const ipco = box('ipco', ...kept, ...properties)
  const ipma = associate(
    find(iprp, 'ipma'),
    properties.map((_, index) => known.length + 1 + index),
  )
  const grown = ipco.length + ipma.length - find(iprp, 'ipco').length - find(iprp, 'ipma').length
  const rebuilt = children.map((child) => {
    if (typeOf(child) === 'iprp') return box('iprp', ipco, ipma)
    return typeOf(child) === 'iloc' ? moved(child, grown) : child
  })
  return Buffer.concat(top.map((part) => (part === meta ? box('meta', meta.subarray(8, 12), ...rebuilt) : part)))
}

function boxesOf(bytes: Buffer): Buffer[] {
  const boxes: Buffer[] = []
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) boxes.push(bytes.subarray(at, at + bytes.readUInt32BE(at)))
  return boxes
}

function typeOf(part: Buffer): string {
  return part.toString('latin1', 4, 8)
}

function find(boxes: Buffer[], type: string): Buffer {
  const found = boxes.find((part) => typeOf(part) === type)
  if (!found) throw new Error(`no ${type}`)
  return found
}

/** `ipma` of version 0 with indices of one byte: further properties for its first item. */
function associate(ipma: Buffer, indices: number[]): Buffer {
  if (ipma.readUInt32BE(8) !== 0) throw new Error('another ipma')
  const count = ipma[18]!
  const content = Buffer.from(ipma.subarray(8, 19 + count))
  content[10] = count + indices.length
  return box('ipma', content, Buffer.from(indices), ipma.subarray(19 + count))
}

/** `iloc` of version 0 with offsets, lengths and base offsets of four bytes: what it points to has moved. */
function moved(iloc: Buffer, by: number): Buffer {
  const copy = Buffer.from(iloc)
  if (copy[8] !== 0 || copy[12] !== 0x44 || copy[13] !== 0x40) throw new Error('another iloc')
  // Each item: its number, where its data are, the base offset and the extents that count from there.
  for (let item = 0, at = 16; item < copy.readUInt16BE(14); item++) {
    copy.writeUInt32BE(copy.readUInt32BE(at + 4) + by, at + 4)
    at += 10 + 8 * copy.readUInt16BE(at + 8)
  }
  return copy
}
