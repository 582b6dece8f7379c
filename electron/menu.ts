import { app, BrowserWindow, Menu } from 'electron'
import { CHANNEL } from './channels.ts'
import { menuItems } from './policy/menuItems.ts'
import { openExternally } from './window.ts'

/** Sets the application menu. Commands go to the window in front; on macOS, where there may be none, `openWindow` makes one. */
export function setMenu(openWindow: () => void): void {
  const items = menuItems({
    platform: process.platform,
    appName: app.name,
    isPackaged: app.isPackaged,
    send(command) {
      const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0]
      if (window) window.webContents.send(CHANNEL.menu, command)
      else openWindow()
    },
    openWebsite: () => openExternally('https://lucidex.app/'),
  })
  Menu.setApplicationMenu(Menu.buildFromTemplate(items))
}
