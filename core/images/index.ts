/**
 * Pictures: everything that touches their files, formats, colours and metadata. Decoding and encoding
 * run in sharp's native threads; loops over samples run in slices.
 *
 * - {@link readForIndex}, {@link readForQuery}: what the library and a search need of a picture
 * - {@link readView}, {@link encodeTile}: pictures for the screen
 * - {@link readPicture}, {@link writePicture}: all samples and metadata, for denoising and exporting
 */
export * from './files.ts'
export * from './formats.ts'
export * from './indexed.ts'
export * from './perceptualHash.ts'
export { inspectPicture, openPicture, type OpenedPicture } from './open.ts'
export { decodeOpened, MAX_DENOISE_PIXELS, readPicture, samplesOf, shrinkSamples, withBitDepth } from './picture.ts'
export * from './types.ts'
export { encodeGrey, encodeTile, readView } from './view.ts'
export { planOutput, writePicture, type OutputPlan, type WriteSettings } from './write.ts'
