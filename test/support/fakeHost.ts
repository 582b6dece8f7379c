/** The window over a fake engine in a real browser: what a library of many thousand pictures looks and feels like, without one. */
import path from 'node:path'
import sharp from 'sharp'
import type { Engine } from '../../core/engine.ts'
import { startLoopback, type LoopbackHost } from '../../core/hosts/loopback.ts'
import { MEDIA_PREFIX, THUMBNAIL_PX } from '../../core/contract/index.ts'
import type { createFakeEngine } from './fakeEngine.ts'

const RENDERER_DIR = path.resolve(import.meta.dirname, '../../dist/renderer')
const DRAWN = 24

/** Serves a fake engine as the loopback host serves the real one; every picture is one of a few drawn thumbnails. */
export async function startFakeHost(fake: ReturnType<typeof createFakeEngine>): Promise<LoopbackHost> {
  const thumbnails = await drawThumbnails()
  const media: Engine['media'] = async (pathname) => {
    const [, id = ''] = pathname.slice(MEDIA_PREFIX.length).split('/')
    return {
      status: 200,
      headers: { 'Content-Type': 'image/webp', 'Cache-Control': 'private, max-age=31536000, immutable' },
      body: thumbnails[Number(id) % DRAWN] ?? thumbnails[0]!,
    }
  }
  return startLoopback({ ...fake.engine, media } as Engine, { rendererDir: RENDERER_DIR })
}

/** Soft blotches with grain: as large to decode and to send as a photograph's thumbnail. */
function drawThumbnails(): Promise<Buffer[]> {
  return Promise.all(
    Array.from({ length: DRAWN }, async (_, index) => {
      const background = { r: (index * 53) % 256, g: (index * 97) % 256, b: (index * 151) % 256 }
      const [width, height] = index % 3 === 0 ? [256, THUMBNAIL_PX] : [THUMBNAIL_PX, 256]
      const noise = (sigma: number) => ({ type: 'gaussian' as const, mean: 128, sigma })
      const grain = await sharp({ create: { width, height, channels: 3, background, noise: noise(12) } })
        .png()
        .toBuffer()
      const ground = await sharp({ create: { width: 6, height: 4, channels: 3, background, noise: noise(70) } })
        .png()
        .toBuffer()
      return sharp(ground)
        .resize(width, height, { fit: 'fill', kernel: 'cubic' })
        .tint(background)
        .composite([{ input: grain, blend: 'overlay' }])
        .webp({ quality: 80 })
        .toBuffer()
    }),
  )
}
