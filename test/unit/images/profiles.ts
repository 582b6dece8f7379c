/**
 * ICC profiles as other programs embed them, made here: matrix and curve, version 2 (ICC.1:2001-04, 6.3). What counts
 * is that their bytes and their samples go through untouched.
 */

const PRIMARIES = {
  'Display P3': { gamma: 2.2, rows: [0.5151, 0.2412, -0.0011, 0.292, 0.6922, 0.0419, 0.1571, 0.0666, 0.7841] },
  'Adobe RGB (1998)': { gamma: 563 / 256, rows: [0.6097, 0.3111, 0.0195, 0.2053, 0.6257, 0.0609, 0.1492, 0.0632, 0.7446] },
  'ProPhoto RGB': { gamma: 1.8, rows: [0.7977, 0.288, 0, 0.1352, 0.7119, 0, 0.0313, 0.0001, 0.8249] },
} as const

export type ProfileName = keyof typeof PRIMARIES | 'Dot Gain 20%'
export const RGB_PROFILES = Object.keys(PRIMARIES) as ProfileName[]
export const GREY_PROFILE: ProfileName = 'Dot Gain 20%'

export function makeProfile(name: ProfileName): Uint8Array {
  const grey = name === 'Dot Gain 20%'
  const { gamma, rows } = grey ? { gamma: 1.75, rows: [] } : PRIMARIES[name]
  const tags: [string, Buffer][] = [
    ['desc', description(name)],
    ['cprt', text('No copyright')],
    ['wtpt', xyz(0.9642, 1, 0.8249)],
  ]
  if (grey) tags.push(['kTRC', curve(gamma)])
  else {
    for (const [index, colour] of ['r', 'g', 'b'].entries()) {
      const [x, y, z] = rows.slice(index * 3, index * 3 + 3) as [number, number, number]
      tags.push([`${colour}XYZ`, xyz(x, y, z)], [`${colour}TRC`, curve(gamma)])
    }
  }
  const table = Buffer.alloc(4 + tags.length * 12)
  table.writeUInt32BE(tags.length, 0)
  let at = 128 + table.length
  for (const [index, [signature, data]] of tags.entries()) {
    table.write(signature, 4 + index * 12, 'latin1')
    table.writeUInt32BE(at, 8 + index * 12)
    table.writeUInt32BE(data.length, 12 + index * 12)
    at += data.length
  }
  const header = Buffer.alloc(128)
  header.writeUInt32BE(at, 0)
  header.writeUInt32BE(0x02400000, 8)
  header.write(`mntr${grey ? 'GRAY' : 'RGB '}XYZ `, 12, 'latin1')
  header.write('acsp', 36, 'latin1')
  xyz(0.9642, 1, 0.8249).copy(header, 68, 8)
  return Buffer.concat([header, table, ...tags.map(([, data]) => data)])
}

function xyz(...values: number[]): Buffer {
  const data = Buffer.alloc(20)
  data.write('XYZ ', 'latin1')
  for (const [index, value] of values.entries()) data.writeInt32BE(Math.round(value * 65_536), 8 + index * 4)
  return data
}

function curve(gamma: number): Buffer {
  const data = Buffer.alloc(16)
  data.write('curv', 'latin1')
  data.writeUInt32BE(1, 8)
  data.writeUInt16BE(Math.round(gamma * 256), 12)
  return data
}

function text(words: string): Buffer {
  const data = Buffer.alloc(Math.ceil((9 + words.length) / 4) * 4)
  data.write('text', 'latin1')
  data.write(words, 8, 'latin1')
  return data
}

function description(words: string): Buffer {
  const data = Buffer.alloc(Math.ceil((12 + words.length + 1 + 78) / 4) * 4)
  data.write('desc', 'latin1')
  data.writeUInt32BE(words.length + 1, 8)
  data.write(words, 12, 'latin1')
  return data
}
