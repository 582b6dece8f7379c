import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, dialog, nativeTheme, screen, session, shell, type WebContents } from 'electron'
import { BACKGROUND } from './policy/background.ts'
import { MIN_HEIGHT, MIN_WIDTH, parseWindowState, windowBounds, type WindowState } from './policy/bounds.ts'
import { APP_URL, externalUrl, isPermitted, isTrustedSender } from './policy/origin.ts'
import { restartPolicy } from './policy/restart.ts'

/** Opens the app's window where it was left; it shows itself once its page has something to show. */
export function openWindow(): BrowserWindow {
  const left = readState()
  const window = new BrowserWindow({
    ...windowBounds(
      left,
      screen.getAllDisplays().map(({ workArea }) => workArea),
    ),
    minWidth: MIN_WIDTH,
    minHeight: MIN_HEIGHT,
    show: false,
    autoHideMenuBar: true,
    backgroundColor: background(),
    ...(process.platform === 'linux' && { icon: iconFile() }),
    webPreferences: {
      preload: join(import.meta.dirname, '..', 'preload', 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  })
  window.once('ready-to-show', () => {
    if (left?.maximized) window.maximize()
    window.show()
  })
  window.on('close', () => writeState({ bounds: window.getNormalBounds(), maximized: window.isMaximized() }))
  const follow = () => window.setBackgroundColor(background())
  nativeTheme.on('updated', follow)
  window.once('closed', () => nativeTheme.off('updated', follow))
  revive(window)
  void window.loadURL(APP_URL)
  return window
}

/** Loads a page again whose process crashed; the engine and its jobs are elsewhere and never noticed. */
function revive(window: BrowserWindow): void {
  let crashes: number[] = []
  window.webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
    if (reason === 'clean-exit') return
    console.error(`The window's process ended: ${reason} (exit code ${exitCode})`)
    const verdict = restartPolicy(crashes, performance.now())
    crashes = verdict.crashes
    if (verdict.restart) window.webContents.reload()
    else dialog.showErrorBox('The window keeps crashing', `Reason: ${reason}. Quit Lucidex and start it again.`)
  })
}

/** "Pages stay where they are": holds for every page ever made in this app. */
export function confineAllPages(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-attach-webview', (event) => event.preventDefault())
    contents.on('will-frame-navigate', (event) => confine(event, contents))
    contents.on('will-redirect', (event) => confine(event, contents))
    contents.setWindowOpenHandler(({ url }) => {
      openExternally(url)
      return { action: 'deny' }
    })
  })
}

/** Refuses what a page may ask the system for, but for the clipboard. Needs the app to be ready. */
export function restrictPermissions(): void {
  session.defaultSession.setPermissionRequestHandler((contents, permission, callback) =>
    callback(isPermitted(permission, contents.getURL())),
  )
  session.defaultSession.setPermissionCheckHandler((_contents, permission, origin) => isPermitted(permission, origin))
}

/** Opens a page in the user's browser, when it is one that the app links to. */
export function openExternally(url: string): void {
  const safe = externalUrl(url)
  if (safe) void shell.openExternal(safe)
}

function confine(event: { url: string; isMainFrame: boolean; preventDefault(): void }, contents: WebContents): void {
  // Only a reload of the page itself goes through; a dropped file or a link would replace it.
  if (event.isMainFrame && isTrustedSender(event.url) && event.url === contents.getURL()) return
  event.preventDefault()
  openExternally(event.url)
}

function background(): string {
  return nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light
}

/** Beside the archive once packaged (electron-builder.yml, extraResources). */
function iconFile(): string {
  return app.isPackaged ? join(process.resourcesPath, 'icon.png') : join(app.getAppPath(), 'resources', 'icons', 'icon.png')
}

function stateFile(): string {
  return join(app.getPath('userData'), 'window.json')
}

function readState(): WindowState | null {
  try {
    return parseWindowState(readFileSync(stateFile(), 'utf8'))
  } catch {
    return null
  }
}

/** Written at once: the app may be about to quit. */
function writeState(state: WindowState): void {
  try {
    writeFileSync(`${stateFile()}.tmp`, JSON.stringify(state))
    renameSync(`${stateFile()}.tmp`, stateFile())
  } catch (error) {
    console.error('The window state was not saved:', error)
  }
}
