/** What the menu asks of the window. The window acts on it as on its own buttons. */
export type MenuCommand = 'add-folder' | 'open-picture' | 'paste' | 'denoise' | 'batch' | 'library' | 'search' | 'settings' | 'shortcuts'

/** Electron's MenuItemConstructorOptions, as far as this menu uses it. */
export interface MenuItem {
  label?: string
  role?:
    | 'about'
    | 'close'
    | 'copy'
    | 'cut'
    | 'front'
    | 'help'
    | 'hide'
    | 'hideOthers'
    | 'minimize'
    | 'paste'
    | 'quit'
    | 'redo'
    | 'reload'
    | 'resetZoom'
    | 'selectAll'
    | 'services'
    | 'toggleDevTools'
    | 'togglefullscreen'
    | 'undo'
    | 'unhide'
    | 'window'
    | 'zoom'
    | 'zoomIn'
    | 'zoomOut'
  type?: 'separator'
  accelerator?: string
  click?: () => void
  submenu?: MenuItem[]
}

export interface MenuEffects {
  platform: NodeJS.Platform
  appName: string
  /** Developer tools and reloading are for checkouts. */
  isPackaged: boolean
  send(command: MenuCommand): void
  openWebsite(): void
}

const SEPARATOR: MenuItem = { type: 'separator' }

/** The application menu by the platform's conventions: on macOS the application's own menu holds settings and quit. */
export function menuItems({ platform, appName, isPackaged, send, openWebsite }: MenuEffects): MenuItem[] {
  const isMac = platform === 'darwin'
  const command = (label: string, name: MenuCommand, accelerator?: string): MenuItem => ({ label, accelerator, click: () => send(name) })
  const settings = command('Settings…', 'settings', 'CmdOrCtrl+,')

  const application: MenuItem = {
    label: appName,
    submenu: [
      { role: 'about' },
      SEPARATOR,
      settings,
      SEPARATOR,
      { role: 'services' },
      SEPARATOR,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      SEPARATOR,
      { role: 'quit' },
    ],
  }
  const file: MenuItem = {
    label: '&File',
    submenu: [
      command('Add Folder…', 'add-folder', 'CmdOrCtrl+Shift+O'),
      command('Open Picture…', 'open-picture', 'CmdOrCtrl+O'),
      command('Search by Pasted Picture', 'paste', 'CmdOrCtrl+Shift+V'),
      SEPARATOR,
      ...(isMac ? [] : [settings, SEPARATOR]),
      isMac ? { role: 'close' } : { role: 'quit' },
    ],
  }
  const edit: MenuItem = {
    label: '&Edit',
    submenu: [{ role: 'undo' }, { role: 'redo' }, SEPARATOR, { role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
  }
  const view: MenuItem = {
    label: '&View',
    submenu: [
      command('Library', 'library', 'CmdOrCtrl+1'),
      command('Search', 'search', 'CmdOrCtrl+2'),
      command('Denoise', 'denoise', 'CmdOrCtrl+3'),
      command('Batch', 'batch', 'CmdOrCtrl+4'),
      SEPARATOR,
      { role: 'resetZoom' },
      { role: 'zoomIn' },
      { role: 'zoomOut' },
      SEPARATOR,
      { role: 'togglefullscreen' },
      ...(isPackaged ? [] : [SEPARATOR, { role: 'reload' } as const, { role: 'toggleDevTools' } as const]),
    ],
  }
  const window: MenuItem = {
    label: '&Window',
    role: 'window',
    submenu: [{ role: 'minimize' }, { role: 'zoom' }, ...(isMac ? [SEPARATOR, { role: 'front' } as const] : [{ role: 'close' } as const])],
  }
  const help: MenuItem = {
    label: '&Help',
    role: 'help',
    submenu: [command('Keyboard Shortcuts', 'shortcuts', 'CmdOrCtrl+/'), { label: `${appName} Website`, click: openWebsite }],
  }
  return [...(isMac ? [application] : []), file, edit, view, window, help]
}
