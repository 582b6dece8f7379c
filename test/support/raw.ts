/**
 * RAW files as cameras lay them out, with drawn previews and no sensor data: written from the same published
 * descriptions that the readers follow (ExifTool, LibRaw, DNG 1.7), because no real sample may be kept here.
 */

export interface RawParts {
  /** The largest preview, a smaller one, and what no one can show: lossless sensor data. */
  large: Buffer
  small: Buffer
  orientation?: number
}

const SENSOR = losslessJpeg(6000, 4000)
const SHOT = { date: '2024:05:06 07:08:09', lens: 'Test Lens 35mm' }

export const RAW_SAMPLES: Record<string, { camera: string; write(parts: RawParts): Buffer }> = {
  cr2: { camera: 'Canon EOS 5D', write: cr2 },
  cr3: { camera: 'Canon EOS R5', write: cr3 },
  nef: { camera: 'NIKON D850', write: nef },
  arw: { camera: 'SONY ILCE-7M4', write: arw },
  dng: { camera: 'LEICA Q2', write: dng },
  orf: { camera: 'OLYMPUS E-M1', write: orf },
  rw2: { camera: 'Panasonic DC-S5', write: rw2 },
  raf: { camera: 'X-T4', write: raf },
}

function cr2({ large, small, orientation }: RawParts): Buffer {
  const file = new TiffFile('II', { room: 16 })
  const directories: Entry[][] = [
    [...described(file, 'Canon', 'Canon EOS 5D', orientation), short(259, 6), ...strip(file, large)],
    thumbnail(file, small),
    [short(259, 6), ...strip(file, SENSOR)],
  ]
  const bytes = file.finish(directories)
  bytes.write('CR\x02\0', 8, 'latin1')
  return bytes
}

function nef({ large, small, orientation }: RawParts): Buffer {
  const file = new TiffFile('MM')
  const full = file.directory([long(254, 1), short(259, 6), ...thumbnail(file, large)])
  const sensor = file.directory([long(254, 0), short(259, 34713), short(262, 32803), ...strip(file, SENSOR)])
  const other = file.directory([long(254, 1), short(259, 6), ...thumbnail(file, small)])
  const uncompressed = [long(254, 1), short(259, 1), short(262, 2), ...strip(file, Buffer.alloc(160 * 120 * 3))]
  return file.finish([
    [...described(file, 'NIKON CORPORATION', 'NIKON D850', orientation), ...uncompressed, long(330, full, sensor, other)],
  ])
}

function arw({ large, small, orientation }: RawParts): Buffer {
  const file = new TiffFile('II')
  const sensor = file.directory([long(254, 0), short(259, 32767), short(262, 32803), ...strip(file, SENSOR)])
  return file.finish([
    [...described(file, 'SONY', 'ILCE-7M4', orientation), short(259, 6), ...thumbnail(file, large), long(330, sensor)],
    [short(259, 6), ...thumbnail(file, small)],
  ])
}

function dng({ large, small, orientation }: RawParts): Buffer {
  const file = new TiffFile('II')
  const sensor = file.directory([long(254, 0), short(259, 7), short(262, 32803), ...strip(file, SENSOR)])
  const preview = (jpeg: Buffer) => file.directory([long(254, 1), short(259, 7), short(262, 6), ...strip(file, jpeg)])
  return file.finish([
    [
      ...described(file, 'LEICA', 'Q2', orientation),
      { id: 50706, type: 1, data: Buffer.from([1, 4, 0, 0]) },
      long(330, preview(small), sensor, preview(large)),
    ],
  ])
}

function orf({ large, orientation }: RawParts): Buffer {
  const file = new TiffFile('II', { magic: 'RO' })
  // The note's offsets count from its own beginning: name, byte order, version, directory, settings, preview.
  const settingsAt = 12 + 2 + 12 + 4
  const previewAt = settingsAt + 2 + 3 * 12 + 4
  const note = new TiffFile('II', { room: 12 })
  note.directory([{ id: 0x2020, type: 13, data: uint32(settingsAt) }])
  note.directory([long(0x100, 1), long(0x101, previewAt), long(0x102, large.length)])
  const maker = Buffer.concat([Buffer.from('OLYMPUS\0II\x03\0', 'latin1'), note.content().subarray(12), large])
  const entries = described(file, 'OLYMPUS', 'E-M1', orientation, [{ id: 37500, type: 7, data: maker }])
  return file.finish([[...entries, short(259, 1), ...strip(file, SENSOR)]])
}

function rw2({ large, orientation }: RawParts): Buffer {
  const file = new TiffFile('II', { magic: 'U\0' })
  return file.finish([[...described(file, 'Panasonic', 'DC-S5', orientation), { id: 0x2e, type: 7, data: large }]])
}

/** All that is known of it is in its JPEG. */
function raf({ large, orientation }: RawParts): Buffer {
  const exif = new TiffFile('II')
  const block = exif.finish([described(exif, 'FUJIFILM', 'X-T4', orientation)])
  const segment = Buffer.concat([Buffer.from([0xff, 0xe1]), uint16be(block.length + 8), Buffer.from('Exif\0\0'), block])
  const jpeg = Buffer.concat([large.subarray(0, 2), segment, large.subarray(2)])
  const head = Buffer.alloc(148)
  head.write('FUJIFILMCCD-RAW 0201FF389501X-T4', 'latin1')
  head.writeUInt32BE(148, 84)
  head.writeUInt32BE(jpeg.length, 88)
  return Buffer.concat([head, jpeg, SENSOR])
}

function cr3({ large, small, orientation }: RawParts): Buffer {
  const block = (entries: (file: TiffFile) => Entry[]) => {
    const file = new TiffFile('II')
    return file.finish([entries(file)])
  }
  const thumb = box('THMB', Buffer.alloc(4), uint16be(160), uint16be(120), uint32be(small.length), Buffer.from([0, 1, 0, 0]), small)
  const canon = uuid(
    '85c0b687820f11e08111f4ce462b6a48',
    box('CNCV', Buffer.from('CanonCR3_001/00.09.00/00.00.00')),
    box(
      'CMT1',
      block(() => pictureEntries('Canon', 'Canon EOS R5', orientation)),
    ),
    box(
      'CMT2',
      block(() => shotEntries()),
    ),
    box(
      'CMT4',
      block(() => placeEntries()),
    ),
    thumb,
  )
  const track = (sample: number, size: number) => {
    const table = box(
      'stbl',
      box('stsz', Buffer.alloc(4), uint32be(size), uint32be(1)),
      box('co64', Buffer.alloc(4), uint32be(1), uint64be(sample)),
    )
    return box('trak', box('tkhd', Buffer.alloc(84)), box('mdia', box('minf', table)))
  }
  const ftyp = box('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1'))
  const medium = box('PRVW', Buffer.alloc(6), uint16be(160), uint16be(120), uint16be(1), uint32be(small.length), small)
  const preview = uuid('eaf42b5e1c984b88b9fbb7dc406e4d16', Buffer.alloc(8), medium)
  const moov = (at: number) => box('moov', canon, track(at, large.length), track(at + large.length, SENSOR.length))
  const dataAt = ftyp.length + moov(0).length + preview.length + 8
  return Buffer.concat([ftyp, moov(dataAt), preview, box('mdat', large, SENSOR)])
}

// ---------------------------------------------------------------- TIFF

interface Entry {
  id: number
  type: number
  /** The values in little-endian order. */
  data: Buffer
}

const SIZES: Record<number, number> = { 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 13: 4 }
const WORDS: Record<number, number> = { ...SIZES, 5: 4 }

class TiffFile {
  readonly #order: 'II' | 'MM'
  readonly #magic: string
  readonly #parts: Buffer[] = []
  #end: number

  constructor(order: 'II' | 'MM', { magic = order === 'II' ? '*\0' : '\0*', room = 8 } = {}) {
    this.#order = order
    this.#magic = magic
    this.#end = room
    this.#parts.push(Buffer.alloc(room))
  }

  put(bytes: Buffer): number {
    const at = this.#end
    const padded = bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)])
    this.#parts.push(padded)
    this.#end += padded.length
    return at
  }

  directory(entries: Entry[], next = 0): number {
    const head = Buffer.alloc(2 + entries.length * 12 + 4)
    this.#write(head, 0, 2, entries.length)
    for (const [index, entry] of entries.toSorted((a, b) => a.id - b.id).entries()) {
      const at = 2 + index * 12
      const data = this.#ordered(entry)
      this.#write(head, at, 2, entry.id)
      this.#write(head, at + 2, 2, entry.type)
      this.#write(head, at + 4, 4, entry.data.length / SIZES[entry.type]!)
      if (data.length <= 4) data.copy(head, at + 8)
      else this.#write(head, at + 8, 4, this.put(data))
    }
    this.#write(head, head.length - 4, 4, next)
    return this.put(head)
  }

  content(): Buffer {
    return Buffer.concat(this.#parts)
  }

  finish(directories: Entry[][]): Buffer {
    const first = directories.reduceRight((next, entries) => this.directory(entries, next), 0)
    const bytes = this.content()
    bytes.write(this.#order + this.#magic, 'latin1')
    this.#write(bytes, 4, 4, first)
    return bytes
  }

  #write(target: Buffer, at: number, size: 2 | 4, value: number): void {
    if (this.#order === 'II') target.writeUIntLE(value, at, size)
    else target.writeUIntBE(value, at, size)
  }

  #ordered({ type, data }: Entry): Buffer {
    const word = WORDS[type]!
    const copy = Buffer.from(data)
    if (this.#order === 'MM' && word === 2) copy.swap16()
    if (this.#order === 'MM' && word === 4) copy.swap32()
    return copy
  }
}

function described(file: TiffFile, make: string, model: string, orientation = 1, shot: Entry[] = []): Entry[] {
  return [
    ...pictureEntries(make, model, orientation),
    long(34665, file.directory([...shotEntries(), ...shot])),
    long(34853, file.directory(placeEntries())),
  ]
}

const pictureEntries = (make: string, model: string, orientation = 1) => [ascii(271, make), ascii(272, model), short(274, orientation)]
const shotEntries = () => [ascii(36867, SHOT.date), ascii(42036, SHOT.lens), rational(33437, 28, 10), short(34855, 400)]
const placeEntries = () => [ascii(1, 'N'), rational(2, 48, 1, 30, 1, 0, 1), ascii(3, 'W'), rational(4, 9, 1, 15, 1, 0, 1)]
const strip = (file: TiffFile, data: Buffer) => [long(273, file.put(data)), long(279, data.length)]
const thumbnail = (file: TiffFile, jpeg: Buffer) => [long(513, file.put(jpeg)), long(514, jpeg.length)]

const ascii = (id: number, text: string): Entry => ({ id, type: 2, data: Buffer.from(`${text}\0`) })
const short = (id: number, value: number): Entry => ({ id, type: 3, data: Buffer.from([value & 255, value >> 8]) })
const long = (id: number, ...values: number[]): Entry => ({ id, type: 4, data: Buffer.concat(values.map(uint32)) })
const rational = (id: number, ...values: number[]): Entry => ({ id, type: 5, data: Buffer.concat(values.map(uint32)) })

// ---------------------------------------------------------------- Boxes and numbers

function box(type: string, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([uint32be(body.length + 8), Buffer.from(type, 'latin1'), body])
}

const uuid = (id: string, ...content: Uint8Array[]) => box('uuid', Buffer.from(id, 'hex'), ...content)

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function uint32be(value: number): Buffer {
  return uint32(value).swap32()
}

function uint16be(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255])
}

function uint64be(value: number): Buffer {
  return Buffer.concat([uint32be(0), uint32be(value)])
}

/** A frame header of the lossless process (ITU-T T.81, SOF3), as sensor data have it. */
function losslessJpeg(width: number, height: number): Buffer {
  const frame = Buffer.from([0xff, 0xd8, 0xff, 0xc3, 0, 11, 14, height >> 8, height & 255, width >> 8, width & 255, 1, 0, 0x11, 0])
  return Buffer.concat([frame, Buffer.alloc(5000, 0x5a)])
}
