import { contextBridge, ipcRenderer, webUtils } from 'electron'
import { CHANNEL } from './channels.ts'

/** What only a desktop has, as `window.lucidexDesktop`. Paths are absolute; null and [] mean that the user chose nothing. */
const lucidexDesktop = {
  /** The path of a dropped or chosen file; '' for one that is not on a disk (pasted). */
  pathOf: (file: File): string => webUtils.getPathForFile(file),
  chooseFolders: (): Promise<string[]> => ipcRenderer.invoke(CHANNEL.chooseFolders),
  chooseFolder: (): Promise<string | null> => ipcRenderer.invoke(CHANNEL.chooseFolder),
  choosePicture: (): Promise<string | null> => ipcRenderer.invoke(CHANNEL.choosePicture),
  chooseLibrary: (): Promise<string | null> => ipcRenderer.invoke(CHANNEL.chooseLibrary),
  chooseSave: (defaultName: string): Promise<string | null> => ipcRenderer.invoke(CHANNEL.chooseSave, defaultName),
  revealInFolder: (path: string): Promise<void> => ipcRenderer.invoke(CHANNEL.revealInFolder, path),
  /** Lets a file be dropped on another application; called when the dragging begins. */
  startDrag: (path: string): Promise<void> => ipcRenderer.invoke(CHANNEL.startDrag, path),
  /** Hears the menu's commands (electron/policy/menuItems.ts); returns the function that stops listening. */
  onMenu(listener: (command: string) => void): () => void {
    const receive = (_event: unknown, command: string) => listener(command)
    ipcRenderer.on(CHANNEL.menu, receive)
    return () => ipcRenderer.off(CHANNEL.menu, receive)
  },
}
export type LucidexDesktop = typeof lucidexDesktop

contextBridge.exposeInMainWorld('lucidexDesktop', lucidexDesktop)

// "The handshake": a port cannot cross the context bridge, but a window message can carry it. The page
// says when it listens; the answer comes then, and again whenever a new engine was started.
window.addEventListener('message', (event) => {
  if (event.source === window && event.data === CHANNEL.rendererReady) ipcRenderer.send(CHANNEL.rendererReady)
})
ipcRenderer.on(CHANNEL.enginePort, (event) => {
  window.postMessage(CHANNEL.enginePort, window.location.origin, event.ports)
})
