import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { createEngine, type Engine } from '../../core/engine.ts'
import { startLoopback, type LoopbackHost } from '../../core/hosts/loopback.ts'
import { nodeDeps, silentLog } from '../../core/hosts/node.ts'
import { MODELS_DIR } from './engine.ts'

const RENDERER_DIR = path.resolve(import.meta.dirname, '../../dist/renderer')

/** The built window in a real Chromium, before the real engine behind the loopback host. */
export interface App {
  engine: Engine
  host: LoopbackHost
  page: Page
  /** What the window threw or complained of. */
  failures: string[]
  close(): Promise<void>
}

/** Opens a library in a window of its own. With `watch` false the engine hears of changes only when it is asked to look. */
export async function openApp(browser: Browser, libraryDir: string, { watch = true } = {}): Promise<App> {
  const engine = await createEngine({ libraryDir, modelsDir: MODELS_DIR, version: '0.0.0', host: 'browser', watch }, nodeDeps(silentLog))
  const host = await startLoopback(engine, { rendererDir: RENDERER_DIR })
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce', acceptDownloads: true })
  const page = await context.newPage()
  const failures: string[] = []
  page.on('pageerror', (error) => failures.push(error.message))
  page.on('console', (message) => message.type() === 'error' && failures.push(message.text()))
  await page.goto(host.url)
  return {
    engine,
    host,
    page,
    failures,
    async close() {
      await context.close()
      await host.close()
      await engine.close()
    },
  }
}
