import { BrowserWindow, ipcMain, type WebContents, type WebFrameMain } from 'electron'
import { isTrustedSender } from './policy/origin.ts'

/**
 * "The sender is checked in one place": the only file that may touch ipcMain (scripts/check-imports.mjs
 * sees to it). A message counts only when it comes from the top frame of a page of the app.
 */
function trustedWindow(event: { sender: WebContents; senderFrame: WebFrameMain | null }): BrowserWindow | null {
  const frame = event.senderFrame
  if (!frame || frame.parent !== null || !isTrustedSender(frame.url)) return null
  return BrowserWindow.fromWebContents(event.sender)
}

/** Answers a request of the page. `answer` gets the argument unchecked. A request from elsewhere is refused. */
export function handleTrusted(channel: string, answer: (window: BrowserWindow, argument: unknown) => unknown): void {
  ipcMain.handle(channel, (event, argument: unknown) => {
    const window = trustedWindow(event)
    if (!window) throw new Error(`${channel}: refused`)
    return answer(window, argument)
  })
}

/** Hears a message of the page. One from elsewhere is ignored. */
export function onTrusted(channel: string, listener: (window: BrowserWindow) => void): void {
  ipcMain.on(channel, (event) => {
    const window = trustedWindow(event)
    if (window) listener(window)
  })
}
