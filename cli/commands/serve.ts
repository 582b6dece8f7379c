import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { LucidexError } from '../../core/contract/index.ts'
import { startLoopback } from '../../core/hosts/loopback.ts'
import { COMMON_HELP, EXIT, numberOption, parse, UsageError, type Command } from '../args.ts'
import type { Io } from '../io.ts'
import { libraryDir, RENDERER_DIR } from '../paths.ts'
import { withEngine } from '../session.ts'

export const serve: Command = {
  help: `Usage: lucidex serve [--port N] [--open] [options]

Serves the app to a browser on this machine. The address carries a token that is used once; nobody else
on the network can reach it. Ctrl-C stops it.

  --port 0..65535     (default 0: any free port)
  --open              open it in Chromium's app window, if there is one
${COMMON_HELP}`,

  async run(args, io) {
    const { values, positionals } = parse(args, { port: { type: 'string' }, open: { type: 'boolean', default: false } })
    if (positionals.length > 0) throw new UsageError(`serve takes no "${positionals[0]}"`)
    const port = numberOption('--port', values.port, { min: 0, max: 65535, whole: true }) ?? 0
    if (!existsSync(path.join(RENDERER_DIR, 'index.html'))) {
      throw new LucidexError('FILE_NOT_FOUND', 'The app is not built yet: run `npm run build`', { path: RENDERER_DIR })
    }
    await withEngine({ io, libraryDir: libraryDir(values.library, io), host: 'browser', watch: true }, async (engine) => {
      const host = await startLoopback(engine, { port, rendererDir: RENDERER_DIR })
      try {
        if (values.json) io.print(JSON.stringify({ url: host.url, port: host.port }, null, 2))
        else io.print(host.url)
        if (values.open) openWindow(host.url, io)
        await interrupted(io)
      } finally {
        await host.close()
      }
    })
    return EXIT.ok
  },
}

function interrupted(io: Io): Promise<void> {
  return new Promise((resolve) => {
    const stop = io.onInterrupt(() => {
      stop()
      resolve()
    })
  })
}

/** A window without tabs and address bar, where a Chromium is found; otherwise the printed address has to do. */
function openWindow(url: string, io: Io): void {
  const browser = findBrowser(io.env)
  if (browser === undefined) return io.note('No Chromium was found: open the address in your browser.')
  // Chromium refuses its sandbox to root.
  const rootArgs = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const child = spawn(browser, [`--app=${url}`, ...rootArgs], { detached: true, stdio: 'ignore' })
  child.on('error', () => io.note(`${browser} did not start: open the address in your browser.`))
  child.unref()
}

/** The first Chromium-like browser in PATH, or where macOS and Windows keep it. */
function findBrowser(env: NodeJS.ProcessEnv): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge', 'chrome.exe', 'msedge.exe']
  const folders = (env['PATH'] ?? '').split(path.delimiter).filter((folder) => folder !== '')
  const places = [
    ...folders.flatMap((folder) => names.map((name) => path.join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ]
  return places.find((place) => existsSync(place))
}
