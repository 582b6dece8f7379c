import { describe, expect, it } from 'vitest'
import { menuItems, type MenuCommand, type MenuItem } from '../../../electron/policy/menuItems.ts'

function menu(platform: NodeJS.Platform, isPackaged = true) {
  const sent: MenuCommand[] = []
  const items = menuItems({ platform, appName: 'Lucidex', isPackaged, send: (command) => sent.push(command), openWebsite() {} })
  return { sent, items, all: items.flatMap((item) => item.submenu ?? []) }
}

const roles = (items: MenuItem[]) => items.map(({ role }) => role)

describe('menuItems', () => {
  it.each(['linux', 'darwin', 'win32'] as const)('sends every command once on %s', (platform) => {
    const { all, sent } = menu(platform)
    for (const item of all) if (item.accelerator) item.click?.()
    expect(sent.toSorted()).toEqual(
      ['add-folder', 'batch', 'denoise', 'library', 'open-picture', 'paste', 'search', 'settings', 'shortcuts'].toSorted(),
    )
  })

  it.each(['linux', 'darwin', 'win32'] as const)('gives no key to two items on %s', (platform) => {
    const keys = menu(platform).all.flatMap(({ accelerator }) => accelerator ?? [])
    expect(new Set(keys).size).toBe(keys.length)
  })

  it("keeps to the platform: macOS quits from the application's menu, others from File", () => {
    const mac = menu('darwin').items
    expect(mac[0]?.label).toBe('Lucidex')
    expect(roles(mac[0]?.submenu ?? [])).toContain('quit')
    const file = menu('linux').items[0]
    expect(file?.label).toBe('&File')
    expect(roles(file?.submenu ?? [])).toContain('quit')
  })

  it('shows developer tools in a checkout only', () => {
    expect(roles(menu('linux', true).all)).not.toContain('toggleDevTools')
    expect(roles(menu('linux', false).all)).toContain('toggleDevTools')
  })
})
