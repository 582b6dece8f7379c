import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { preferences } from '../../renderer/src/app/preferences.svelte.ts'
import { router } from '../../renderer/src/app/router.svelte.ts'
import { leaveOutFolder } from '../../renderer/src/features/library/care.ts'
import { moveInTree, type TreeRow } from '../../renderer/src/features/library/folderTree.svelte.ts'
import FolderTree from '../../renderer/src/features/library/FolderTree.svelte'
import { library } from '../../renderer/src/features/library/library.svelte.ts'
import { toasts } from '../../renderer/src/ui/toasts.svelte.ts'
import { startFake } from './support.ts'

// Many steps, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000 })

library.begin()
beforeEach(() => router.go('library'))
afterEach(() => {
  cleanup()
  preferences.set({ openFolders: [] })
})

async function show() {
  const fake = await startFake({ count: 1000 })
  await vi.waitFor(() => expect(library.folders.map(({ id }) => id)).toEqual([1]))
  render(FolderTree)
  return fake
}
const items = () => [...document.querySelectorAll<HTMLElement>('[role="treeitem"]')]
const names = () => items().map((item) => item.querySelector('.name')!.textContent)
const focused = () => document.activeElement?.querySelector('.name')?.textContent
const press = (key: string, more: KeyboardEventInit = {}) => fireEvent.keyDown(document.activeElement!, { key, ...more })

describe('the folder tree', () => {
  it('reads a branch when it is opened, and is moved through by keys', async () => {
    const fake = await show()
    const tree = vi.spyOn(fake.handlers.library, 'tree')
    expect(names()).toEqual(['2026'])
    expect(tree).not.toHaveBeenCalled()

    items()[0]!.focus()
    await press('ArrowRight')
    await vi.waitFor(() => expect(names()).toEqual(['2026', '2026', '2025', '2024', '2023']))
    expect(items()[0]!.getAttribute('aria-expanded')).toBe('true')
    expect(items()[1]!.getAttribute('aria-level')).toBe('2')
    expect(items()[2]!.hasAttribute('aria-expanded')).toBe(false)

    await press('ArrowRight')
    await press('ArrowRight')
    await vi.waitFor(() => expect(names().slice(2, 4)).toEqual(['Lisbon', 'Porto']))
    await press('p')
    expect(focused()).toBe('Porto')
    expect(items().filter((item) => item.tabIndex === 0).length).toBe(1)
    await press('Enter')
    expect([router.id, router.within]).toEqual([1, '2026/Porto'])
    expect(items()[3]!.getAttribute('aria-selected')).toBe('true')

    await press('ArrowLeft')
    await press('ArrowLeft')
    await vi.waitFor(() => expect(names().length).toBe(5))
    await press('End')
    expect(focused()).toBe('2023')
    await press('Home')
    await press('ArrowLeft')
    await vi.waitFor(() => expect(names()).toEqual(['2026']))
  })

  it('opens what the address names', async () => {
    await show()
    router.go('library', 1, '2026/Lisbon')
    await vi.waitFor(() => expect(names()).toContain('Lisbon'))
    expect(items().find((item) => item.getAttribute('aria-selected') === 'true')!.textContent).toContain('Lisbon')
  })

  it('takes a folder out from its menu and offers to undo it', async () => {
    const fake = await show()
    await fireEvent.contextMenu(items()[0]!)
    expect(screen.getAllByRole('menuitem', { hidden: true })[0]!.textContent).toContain('Look for changes')
    await fireEvent.click(screen.getByRole('menuitem', { name: 'Take out of the library', hidden: true }))
    await vi.waitFor(() => expect(library.folders).toEqual([]))
    const toast = toasts.shown.at(-1)!
    expect(toast).toMatchObject({ title: '“2026” left the library', action: { label: 'Undo' } })
    toast.action!.run()
    await vi.waitFor(() => expect(library.folders.length).toBe(1))
    expect(await fake.handlers.library.undoable({})).toEqual([])
  })

  it('leaves a folder inside out by a pattern that names it alone', async () => {
    const fake = await show()
    const configure = vi.spyOn(fake.handlers.library, 'configureFolder')
    await leaveOutFolder({ ...library.folders[0]!, ignore: 'exports/\n' }, '2024/Old [scans]')
    expect(configure.mock.calls[0]![0]).toEqual({ folderId: 1, ignore: 'exports/\n/2024/Old\\ \\[scans\\]/' })
    toasts.shown.at(-1)!.action!.run()
    await vi.waitFor(() => expect(configure.mock.calls[1]![0]).toEqual({ folderId: 1, ignore: 'exports/\n' }))
  })
})

describe('moving in a tree', () => {
  const row = (key: string, name: string, parent: string | null, expanded = false) => ({ key, name, parent, expanded }) as TreeRow
  const rows = [row('1', 'Anna', null, true), row('1/a', 'Alps', '1'), row('1/b', 'Azores', '1'), row('2', 'Ben', null)]

  it('goes up to the parent, down into an open branch, and stops at the ends', () => {
    expect(moveInTree(rows, 2, 'ArrowLeft', '')).toBe(0)
    expect(moveInTree(rows, 0, 'ArrowRight', '')).toBe(1)
    expect(moveInTree(rows, 3, 'ArrowDown', '')).toBe(3)
    expect(moveInTree(rows, 0, 'ArrowUp', '')).toBe(0)
    expect(moveInTree(rows, 3, 'ArrowRight', '')).toBeUndefined()
    expect(moveInTree([], 0, 'ArrowDown', '')).toBeUndefined()
  })

  it('goes round the names that begin with a letter, and on to the one that is typed', () => {
    expect(moveInTree(rows, 0, 'a', 'a')).toBe(1)
    expect(moveInTree(rows, 2, 'a', 'a')).toBe(0)
    expect(moveInTree(rows, 1, 'z', 'az')).toBe(2)
    expect(moveInTree(rows, 1, 'l', 'al')).toBe(1)
    expect(moveInTree(rows, 0, 'x', 'x')).toBeUndefined()
  })
})
