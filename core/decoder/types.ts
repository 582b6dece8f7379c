import type { Region, Transport } from '../contract/index.ts'
import type { IndexedPicture, Picture, PictureFacts, QueryPicture, SearchPicture } from '../images/index.ts'

/**
 * Reads pictures from files that nobody vouches for. What it answers is what the functions of the same names
 * in core/images answer. Errors: theirs, and where the files are read in a process of their own DECODER_CRASHED,
 * DECODE_TIMEOUT, PICTURE_TOO_LARGE (over the limit of memory) and INTERNAL (the process does not start).
 */
export interface PictureDecoder {
  /** Format, size and depth, by the header alone. */
  inspect(path: string): Promise<PictureFacts>
  /** Above `maxPixels` PICTURE_TOO_LARGE. */
  readForIndex(path: string, maxPixels?: number): Promise<IndexedPicture>
  readForQuery(path: string, region?: Region): Promise<QueryPicture>
  readForSearch(path: string, region?: Region): Promise<SearchPicture>
  readView(path: string, maxPx?: number): Promise<Uint8Array>
  readPicture(path: string): Promise<Picture>
  /** Ends its processes. What is still asked fails with CANCELLED. */
  close(): Promise<void>
}

/** A process that decodes (core/decoder/serve.ts at its other end), as its host started it. */
export interface DecoderChild {
  transport: Transport
  /** Ends the process at once, whatever it is doing. */
  kill(): void
  /** Called once when it is gone; `reason` is for the log. */
  onExit(listener: (reason: string) => void): void
}

export interface DecoderLimits {
  /** For decoding one file, milliseconds. */
  decodeMs: number
  /** For reading one file from its disk, milliseconds. */
  readMs: number
  /** Resident memory of a whole process, bytes. */
  memoryBytes: number
}
