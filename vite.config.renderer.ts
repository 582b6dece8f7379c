import { fileURLToPath } from 'node:url'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Vite's development server injects styles and scripts that the page's own CSP refuses; what is built keeps it. */
const relaxedWhileDeveloping: Plugin = {
  name: 'relaxed-csp',
  apply: 'serve',
  transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ''),
}

export default defineConfig({
  root: here('renderer'),
  // Relative, so that the same files serve http://127.0.0.1:port/ and lucidex://app/.
  base: './',
  resolve: { alias: { $contract: here('core/contract/index.ts') } },
  plugins: [svelte({ configFile: here('svelte.config.js') }), relaxedWhileDeveloping],
  build: {
    outDir: here('dist/renderer'),
    emptyOutDir: true,
    target: 'chrome130',
    // No data: URLs for fonts or scripts: the CSP has no place for them.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
