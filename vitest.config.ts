import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { svelteTesting } from '@testing-library/svelte/vite'
import { defineConfig } from 'vitest/config'

// Native addons live in processes of their own ("forks", the default pool): a crash fails one file, not the run.
export default defineConfig({
  test: {
    // On a shared machine a deadline can pass while others have the processor: one failure is tried again there.
    retry: process.env.CI ? 2 : 0,
    projects: [
      {
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], environment: 'node', testTimeout: 30_000, hookTimeout: 30_000 },
      },
      {
        plugins: [svelte(), svelteTesting()],
        resolve: { alias: { $contract: fileURLToPath(new URL('core/contract/index.ts', import.meta.url)) } },
        test: { name: 'renderer', include: ['test/renderer/**/*.test.ts', 'renderer/src/**/*.test.ts'], environment: 'jsdom' },
      },
      {
        test: {
          name: 'hosts',
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
