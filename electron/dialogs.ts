import { basename, isAbsolute, join } from 'node:path'
import { app, dialog, shell, type BrowserWindow } from 'electron'
import type { ErrorData } from '../core/contract/errors.ts'
import { READABLE_EXTENSIONS } from '../core/images/formats.ts'
import { CHANNEL } from './channels.ts'
import { handleTrusted } from './ipc.ts'

/** What a file dialog offers; the engine itself looks at the content, not at the name. */
const PICTURES = { name: 'Pictures', extensions: [...READABLE_EXTENSIONS].map((extension) => extension.slice(1)) }
const LIBRARIES = { name: 'Lucidex libraries', extensions: ['lucidex'] }
const ALL_FILES = { name: 'All files', extensions: ['*'] }

/** Answers the page's requests for a dialog (the only way, with drops, in which paths reach the page) and for what is done with a result's path. */
export function serveDialogs(): void {
  handleTrusted(CHANNEL.chooseFolders, (window) => choose(window, 'Add folders to the library', ['openDirectory', 'multiSelections']))
  handleTrusted(CHANNEL.chooseFolder, async (window) => {
    const [folder] = await choose(window, 'Choose a folder', ['openDirectory', 'createDirectory'])
    return folder ?? null
  })
  handleTrusted(CHANNEL.choosePicture, async (window) => {
    const [picture] = await choose(window, 'Open a picture', ['openFile'])
    return picture ?? null
  })
  handleTrusted(CHANNEL.chooseLibrary, async (window) => {
    const [library] = await choose(window, 'Import a library', ['openFile'], LIBRARIES)
    return library ?? null
  })
  handleTrusted(CHANNEL.chooseSave, async (window, defaultName) => {
    const name = typeof defaultName === 'string' ? basename(defaultName) : ''
    const library = name.endsWith('.lucidex')
    const { canceled, filePath } = await dialog.showSaveDialog(window, {
      title: library ? 'Export the library' : 'Export the picture',
      defaultPath: join(app.getPath(library ? 'documents' : 'pictures'), name || 'picture.png'),
      filters: [library ? LIBRARIES : PICTURES, ALL_FILES],
      properties: ['showOverwriteConfirmation', 'createDirectory'],
    })
    return canceled || !filePath ? null : filePath
  })
  handleTrusted(CHANNEL.revealInFolder, (_window, path) => {
    if (typeof path === 'string' && isAbsolute(path)) shell.showItemInFolder(path)
  })
  handleTrusted(CHANNEL.startDrag, async (window, path) => {
    if (typeof path !== 'string' || !isAbsolute(path)) return
    const icon = await app.getFileIcon(path)
    window.webContents.startDrag({ file: path, icon })
  })
}

type OpenProperty = 'openFile' | 'openDirectory' | 'multiSelections' | 'createDirectory'

async function choose(window: BrowserWindow, title: string, properties: OpenProperty[], kind = PICTURES): Promise<string[]> {
  const filters = properties.includes('openFile') ? [kind, ALL_FILES] : []
  const { canceled, filePaths } = await dialog.showOpenDialog(window, { title, properties, filters })
  return canceled ? [] : filePaths
}

/** Tells that the engine crashed and runs again. */
export async function tellRestarted(reason: string): Promise<void> {
  await dialog.showMessageBox({
    type: 'warning',
    message: 'The engine stopped and was started again',
    detail: `${reason}\n\nWork that was running is kept as interrupted: resume it in the job tray.`,
    buttons: ['OK'],
  })
}

/** The engine keeps crashing: whether to try once more; otherwise the app quits. */
export async function askTryAgain(reason: string): Promise<boolean> {
  const { response } = await dialog.showMessageBox({
    type: 'error',
    message: 'The engine keeps stopping',
    detail: `${reason}\n\nYour pictures are untouched.`,
    buttons: ['Try Again', 'Quit'],
    defaultId: 0,
    cancelId: 1,
  })
  return response === 0
}

/** The library could not be opened. Another process writing to it does not hinder reading. */
export async function askLibraryFailed(error: ErrorData): Promise<'read-only' | 'try-again' | 'quit'> {
  const choices = error.code === 'LIBRARY_IN_USE' ? (['read-only', 'try-again', 'quit'] as const) : (['try-again', 'quit'] as const)
  const labels = { 'read-only': 'Open Read-Only', 'try-again': 'Try Again', quit: 'Quit' }
  const { response } = await dialog.showMessageBox({
    type: 'error',
    message: 'The library could not be opened',
    detail: `${error.message}\n\n${error.code}${error.path ? ` · ${error.path}` : ''}`,
    buttons: choices.map((choice) => labels[choice]),
    defaultId: 0,
    cancelId: choices.length - 1,
  })
  return choices[response] ?? 'quit'
}
