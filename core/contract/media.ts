/**
 * Pictures reach the renderer by URL. Paths are the same in every host; the host adds the origin
 * (`lucidex://app` in Electron, `http://127.0.0.1:port` in the browser), so media are same-origin.
 * A path names one immutable body: what changes gets a new path.
 */
export const MEDIA_PREFIX = '/media/'

export const mediaPath = {
  /** The grid's thumbnail: WebP, at most {@link THUMBNAIL_PX} on its long side. */
  thumbnail: (imageId: number, contentHash: string) => `${MEDIA_PREFIX}thumbnail/${imageId}/${contentHash.slice(0, 16)}`,
  /** The whole picture for viewing, at most {@link VIEW_PX} on its long side. */
  picture: (imageId: number, contentHash: string) => `${MEDIA_PREFIX}picture/${imageId}/${contentHash.slice(0, 16)}`,
  /** What the index sees of a picture: a small square PNG. Another encoder sees otherwise. */
  reconstruction: (imageId: number, contentHash: string, encoder: string) =>
    `${MEDIA_PREFIX}reconstruction/${imageId}/${contentHash.slice(0, 16)}/${encoder.slice(0, 16)}`,
  query: (queryId: string) => `${MEDIA_PREFIX}query/${queryId}`,
  /** The upright original of a denoise session: at full size, or at most so many pixels on its long side, which is there much sooner. */
  original: (sessionId: string, maxPx?: number) => `${MEDIA_PREFIX}original/${sessionId}${maxPx === undefined ? '' : `/${maxPx}`}`,
  tile: (sessionId: string, revision: number, x: number, y: number) => `${MEDIA_PREFIX}tile/${sessionId}/${revision}/${x}/${y}`,
  /** A tile of the reduced picture that is denoised first; x and y in its own pixels. */
  look: (sessionId: string, revision: number, x: number, y: number) => `${MEDIA_PREFIX}look/${sessionId}/${revision}/${x}/${y}`,
  /** A part of a confidence map (schemas.ts, `denoiseConfidence`). */
  confidence: (sessionId: string, revision: number, x: number, y: number) => `${MEDIA_PREFIX}confidence/${sessionId}/${revision}/${x}/${y}`,
  download: (exportId: string, name: string) => `${MEDIA_PREFIX}download/${exportId}/${encodeURIComponent(name)}`,
}

export const THUMBNAIL_PX = 384
export const VIEW_PX = 2560
/** The largest picture taken as an upload, in bytes. */
export const UPLOAD_MAX_BYTES = 64 * 1024 * 1024
