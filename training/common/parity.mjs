// Runs one ONNX model once (or `repeat` times, for timing) on inputs left in a folder by parity.py.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const folder = process.argv[2];
const job = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8'));
const ort = createRequire(import.meta.url)(job.runtime);
const arrays = { float32: Float32Array, int64: BigInt64Array, uint8: Uint8Array };

const session = await ort.InferenceSession.create(job.model, {
  executionProviders: ['cpu'], intraOpNumThreads: job.threads, interOpNumThreads: 1,
});
const feeds = {};
for (const { name, shape, type } of job.inputs) {
  const bytes = readFileSync(join(folder, `in-${name}.raw`));
  const copy = new Uint8Array(bytes).buffer; // aligned
  feeds[name] = new ort.Tensor(type, new arrays[type](copy), shape);
}
let outputs;
let seconds = Infinity;
for (let i = 0; i < job.repeat; i += 1) {
  const start = performance.now();
  outputs = await session.run(feeds);
  seconds = Math.min(seconds, (performance.now() - start) / 1000);
}
const listed = [];
for (const [name, tensor] of Object.entries(outputs)) {
  const { data } = tensor;
  writeFileSync(join(folder, `out-${name}.raw`), Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  listed.push({ name, shape: Array.from(tensor.dims, Number), type: tensor.type });
}
writeFileSync(join(folder, 'result.json'), JSON.stringify({ seconds, outputs: listed }));
