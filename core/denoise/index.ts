/**
 * Denoising: how strong the noise is ({@link NoiseEstimate}), the picture tile by tile
 * ({@link denoisePicture}), how much of the result is wanted ({@link mixStrength}); pictures open in the
 * denoise view ({@link DenoiseSessions}) and pictures denoised to files ({@link exportPictures}).
 */
export { denoisePicture, type DenoiseOptions, type DenoiseSteps } from './denoise.ts'
export type { NoiseEstimate } from './estimate.ts'
export { exportPictures, type ExportRequest, type ExportTools } from './export.ts'
export { DenoiseSessions } from './sessions.ts'
export { chooseSigma, isClean } from './sigma.ts'
export { MemoryJournal, type ExportJournal } from './journal.ts'
export type { ExportInput } from './sources.ts'
export { measureDenoisers } from './measure.ts'
export { mixStrength } from './strength.ts'
export { measureStructureLoss, STRUCTURE_LIMIT } from './structure.ts'
