/**
 * The networks behind one small interface ({@link Inference}): a registry that knows the models of a
 * folder, and a worker thread that runs them. Nothing outside this folder knows ONNX Runtime.
 */
export { CALIBRATION_FILE, expectedError, readCalibration, type Calibration, type ConfidenceCurve } from './calibration.ts'
export { InferenceChoice } from './choice.ts'
export { createInference, type InferenceOptions } from './inference.ts'
export { ModelRegistry, readModel, type ModelEntry, type ModelFile } from './registry.ts'
export type { NoiseLevel, NoiseMap } from './noiseMap.ts'
export type { Planes } from './samples.ts'
export { planTiles, type Tile, type TileUse } from './tiling.ts'
export * from './types.ts'
