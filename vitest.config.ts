import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { svelteTesting } from '@testing-library/svelte/vite'
import { defineConfig } from 'vitest/config'

// Native addons live in processes of their own ("forks", the default pool): a crash fails one file, not the run.
/** On a shared machine a deadline can pass while others have the processor: what fails there is tried again. */
const retry = process.env.CI ? 2 : 0

export default defineConfig({
  test: {
    projects: [
      {
        test: { name: 'unit', retry, include: ['test/unit/**/*.test.ts'], environment: 'node', testTimeout: 30_000, hookTimeout: 30_000 },
      },
      {
        // What a library must survive; many more runs by `npm run bench:faults`.
        test: {
          name: 'faults',
          retry,
          include: ['test/faults/**/*.test.ts'],
          environment: 'node',
          testTimeout: 3_600_000,
          hookTimeout: 600_000,
        },
      },
      {
        plugins: [svelte(), svelteTesting()],
        resolve: { alias: { $contract: fileURLToPath(new URL('core/contract/index.ts', import.meta.url)) } },
        test: { name: 'renderer', retry, include: ['test/renderer/**/*.test.ts', 'renderer/src/**/*.test.ts'], environment: 'jsdom' },
      },
      {
        test: {
          name: 'hosts',
          retry,
          include: ['test/hosts/**/*.test.ts'],
          environment: 'node',
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Some of them measure how long the loop is held: one file at a time.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // Whole applications in a real browser: one at a time, after everything else.
        test: {
          name: 'e2e',
          retry,
          include: ['test/e2e/**/*.test.ts'],
          environment: 'node',
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          globalSetup: ['test/support/builtRenderer.ts'],
        },
      },
    ],
  },
})
