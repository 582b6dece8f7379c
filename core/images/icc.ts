import sharp from 'sharp'

/** The ICC profile's description (tag `desc`, in its v2 ASCII or v4 `mluc` form), or null. ICC.1:2022, 9.2.41. */
export function profileDescription(icc: Uint8Array | undefined): string | null {
  if (!icc || icc.length < 132) return null
  const view = new DataView(icc.buffer, icc.byteOffset, icc.byteLength)
  try {
    const count = view.getUint32(128)
    for (let index = 0; index < Math.min(count, 100); index++) {
      const entry = 132 + index * 12
      if (view.getUint32(entry) !== 0x64657363 /* desc */) continue
      const start = view.getUint32(entry + 4)
      const type = view.getUint32(start)
      if (type === 0x64657363 /* desc */) {
        const length = view.getUint32(start + 8)
        return clean(Buffer.from(icc.subarray(start + 12, start + 12 + length)).toString('latin1'))
      }
      if (type === 0x6d6c7563 /* mluc */) {
        const length = view.getUint32(start + 20)
        const offset = start + view.getUint32(start + 24)
        return clean(
          Buffer.from(icc.slice(offset, offset + length))
            .swap16()
            .toString('utf16le'),
        )
      }
    }
  } catch {
    // A broken profile has no name; what uses it decides for itself.
  }
  return null
}

function clean(text: string): string | null {
  return text.replaceAll('\0', '').trim() || null
}

/** What the profile describes: its data colour space (header bytes 16..19). */
export function profileSpace(icc: Uint8Array): 'RGB' | 'GRAY' | 'CMYK' | 'other' {
  const space = Buffer.from(icc.subarray(16, 20)).toString('latin1').trim()
  return space === 'RGB' || space === 'GRAY' || space === 'CMYK' ? space : 'other'
}

/** Whether there is no profile or it is plain sRGB by its name, so that converting to sRGB may be left out. */
export function isSrgb(icc: Uint8Array | undefined): boolean {
  return icc === undefined || /^sRGB( IEC61966-2[.-]1| built-in|)$/.test(profileDescription(icc) ?? '')
}

let p3: Promise<Uint8Array> | undefined

/** The Display P3 profile that comes with the image library. */
export function displayP3(): Promise<Uint8Array> {
  p3 ??= (async () => {
    const pixel = sharp({ create: { width: 1, height: 1, channels: 3, background: '#000' } })
    return (await sharp(await pixel.withIccProfile('p3').png().toBuffer()).metadata()).icc!
  })()
  return p3
}
