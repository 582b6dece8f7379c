import type { Random } from '../../core/random.ts'

/** Numbers that lengths, offsets and counts are least prepared for. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

/** A damaged copy of a file: bytes flipped, numbers made extreme, parts cut off, left out, doubled or filled. */
export function mutate(file: Buffer, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(file)
  for (let times = 1 + random.integer(4); times > 0; times--) bytes = MUTATIONS[random.integer(MUTATIONS.length)]!(bytes, random)
  return bytes
}

/** Most of what a decoder decides by lies near the beginning. */
function place(bytes: Buffer, random: Random): number {
  const within = random.next() < 0.6 ? Math.min(bytes.length, 600) : bytes.length
  return random.integer(Math.max(1, within))
}

const MUTATIONS: ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    for (let count = 1 + random.integer(8); count > 0; count--) bytes[place(bytes, random)]! ^= 1 << random.integer(8)
    return bytes
  },
  (bytes, random) => {
    for (let count = 1 + random.integer(8); count > 0; count--) bytes[place(bytes, random)] = random.integer(256)
    return bytes
  },
  (bytes, random) => {
    const value = EXTREMES[random.integer(EXTREMES.length)]!
    const size = [1, 2, 4][random.integer(3)]!
    const at = Math.min(place(bytes, random), bytes.length - size)
    if (at < 0) return bytes
    const number = value % 2 ** (8 * size)
    if (random.next() < 0.5) bytes.writeUIntBE(number, at, size)
    else bytes.writeUIntLE(number, at, size)
    return bytes
  },
  (bytes, random) => bytes.subarray(0, 1 + random.integer(bytes.length)),
  (bytes, random) => {
    const at = place(bytes, random)
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.integer(64))])
  },
  (bytes, random) => {
    const at = place(bytes, random)
    const part = bytes.subarray(at, at + 1 + random.integer(256))
    return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)])
  },
  (bytes, random) => {
    const at = place(bytes, random)
    bytes.subarray(at, at + random.integer(200)).fill(random.next() < 0.5 ? 0 : 0xff)
    return bytes
  },
]
