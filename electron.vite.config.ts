import { defineConfig, mergeConfig } from 'electron-vite'
import renderer from './vite.config.renderer.ts'

// Packages in package.json's dependencies stay outside the bundles (electron-vite's default): native
// addons cannot be bundled, and the rest is loaded from the archive as well as from a bundle.
export default defineConfig({
  main: {
    build: {
      outDir: 'dist/main',
      rolldownOptions: {
        input: {
          main: 'electron/main.ts',
          engine: 'electron/engine.ts',
          decoder: 'electron/decoder.ts',
          'inference-worker': 'core/inference/worker.ts',
          'vector-worker': 'core/vectors/worker.ts',
        },
        // One flat folder: core/hosts/node.ts looks for a worker's bundle beside its own.
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'dist/preload',
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: 'electron/preload.ts' },
        // A sandboxed preload script must be one CommonJS file.
        output: { format: 'cjs', entryFileNames: '[name].cjs', codeSplitting: false },
      },
    },
  },
  // The window is built by the settings that the browser host uses too.
  renderer: mergeConfig(renderer, { build: { minify: true, rolldownOptions: { input: 'renderer/index.html' } } }),
})
