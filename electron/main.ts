import { join } from 'node:path'
import { app, BrowserWindow, type MessagePortMain } from 'electron'
import envPaths from 'env-paths'
import type { EngineConfig } from '../core/deps.ts'
import { CHANNEL } from './channels.ts'
import { spawnDecoder } from './decoderProcess.ts'
import { askLibraryFailed, askTryAgain, serveDialogs, tellRestarted } from './dialogs.ts'
import { engineProcess } from './engineProcess.ts'
import { onTrusted } from './ipc.ts'
import { setMenu } from './menu.ts'
import { libraryDir } from './policy/libraryDir.ts'
import { EngineSupervisor } from './policy/engineSupervisor.ts'
import { MediaBroker } from './policy/mediaBroker.ts'
import { registerAppScheme, serveApp } from './protocol.ts'
import { confineAllPages, openWindow, restrictPermissions } from './window.ts'

// The composition root. The main process is a broker: it starts the engine and the window, gives each
// one end of a channel, and sees none of what they say to each other.

app.setName('Lucidex')
app.enableSandbox()
registerAppScheme()
confineAllPages()

const rendererDir = join(app.getAppPath(), 'dist', 'renderer')
const media = new MediaBroker()

const supervisor = new EngineSupervisor<MessagePortMain>({
  ...engineProcess,
  spawnDecoder,
  onMediaPort: (port) => media.usePort(port),
  onCrash({ reason, restarted }) {
    console.error(`The engine stopped: ${reason}`)
    void (restarted ? tellRestarted(reason) : offerRestart(reason))
  },
  onFailed: (error) => {
    console.error(`The library was not opened: ${error.code} ${error.message}`)
    void askLibraryFailed(error).then((choice) => {
      if (choice === 'quit') app.quit()
      else supervisor.start({ ...config(), readOnly: choice === 'read-only' })
    })
  },
})

function config(): EngineConfig {
  return {
    libraryDir: libraryDir({ argv: process.argv, env: process.env, cwd: process.cwd(), data: envPaths('Lucidex', { suffix: '' }).data }),
    modelsDir: app.isPackaged ? join(process.resourcesPath, 'models') : join(app.getAppPath(), 'resources', 'models'),
    version: app.getVersion(),
    host: 'electron',
  }
}

async function offerRestart(reason: string): Promise<void> {
  if (!(await askTryAgain(reason))) return app.quit()
  supervisor.forgive()
  supervisor.start(config())
}

function focusWindow(): void {
  const [window] = BrowserWindow.getAllWindows()
  if (!window) {
    openWindow()
    return
  }
  if (window.isMinimized()) window.restore()
  window.focus()
}

/** The page listens: it gets the engine's port now, and a new one whenever a new engine was started. */
function connectWindows(): void {
  onTrusted(CHANNEL.rendererReady, ({ webContents }) => {
    const { id } = webContents
    const isNew = supervisor.addWindow(id, (port) => webContents.postMessage(CHANNEL.enginePort, null, [port]))
    if (isNew) webContents.once('destroyed', () => supervisor.removeWindow(id))
  })
}

async function start(): Promise<void> {
  await app.whenReady()
  restrictPermissions()
  serveApp(rendererDir, media)
  serveDialogs()
  connectWindows()
  setMenu(openWindow)
  supervisor.start(config())
  openWindow()
  app.on('activate', focusWindow)
  app.on('second-instance', focusWindow)
}

// The engine gets the time to write what is due: once the windows are closed, quitting is held until it is gone.
let engineStopped = false
app.on('will-quit', (event) => {
  if (engineStopped) return
  event.preventDefault()
  void supervisor.stop().finally(() => {
    engineStopped = true
    app.quit()
  })
})
app.on('window-all-closed', () => {
  if (process.platform !== 'darwin') app.quit()
})

// One window process for a library: a second start shows the first one's window.
if (app.requestSingleInstanceLock()) void start()
else {
  engineStopped = true
  app.quit()
}
