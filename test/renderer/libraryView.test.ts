import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { router } from '../../renderer/src/app/router.svelte.ts'
import { batch } from '../../renderer/src/features/batch/batch.svelte.ts'
import { library } from '../../renderer/src/features/library/library.svelte.ts'
import LibraryView from '../../renderer/src/features/library/LibraryView.svelte'
import { startFake } from './support.ts'

library.begin()

beforeEach(() => router.go('library'))
afterEach(cleanup)

const cells = () => [...document.querySelectorAll('.cell')]
const names = () => cells().map((cell) => cell.getAttribute('aria-label'))

/** The view over a library of `count` pictures. */
async function show(count: number) {
  await startFake({ count })
  library.ask({ text: '', folderId: null })
  render(LibraryView)
  await vi.waitFor(() => expect(library.list.total).toBe(count))
  if (count > 0) await vi.waitFor(() => expect(names()[0]).toBe('IMG_00001.jpg'))
}
const press = (key: string, more: KeyboardEventInit = {}) => fireEvent.keyDown(document.body, { key, ...more })

describe('the library view', () => {
  it('holds few elements for 50,000 pictures', async () => {
    await show(50_000)
    expect(cells().length).toBeLessThan(100)
    expect(cells()[0]?.getAttribute('aria-setsize')).toBe('50000')
    expect(screen.getByText('50,000 pictures')).toBeTruthy()
  })

  it('is moved through by keys, and opens what is chosen', async () => {
    await show(500)
    await press('ArrowRight')
    expect(library.selection.activeId).toBe(1)
    await press('ArrowRight')
    await press('ArrowRight', { shiftKey: true })
    await vi.waitFor(() => expect([...library.selection.ids]).toEqual([2, 3]))
    await press('d')
    await vi.waitFor(() => expect(batch.entries.map((entry) => entry.name)).toEqual(['IMG_00002.jpg', 'IMG_00003.jpg']))
    expect(router.view).toBe('batch')
    await press('Enter')
    expect([router.view, router.id]).toEqual(['denoise', 3])
  })

  it('shows what the index sees of what is chosen', async () => {
    await show(20)
    await press('ArrowRight')
    expect(await screen.findByText('Error 32 of 255')).toBeTruthy()
    expect(screen.getByAltText('As the index knows it').getAttribute('src')).toContain('/media/reconstruction/1/')
  })

  it('chooses all, over every page', async () => {
    await show(1_234)
    await press('a', { ctrlKey: true })
    await vi.waitFor(() => expect(library.selection.ids.size).toBe(1_234))
    expect(await screen.findByText('1,234 pictures', { selector: '.number' })).toBeTruthy()
  })

  it('leaves keys to the field that is typed in', async () => {
    await show(500)
    await fireEvent.keyDown(screen.getByLabelText('Filter by name'), { key: 'd' })
    expect(router.view).toBe('library')
    expect(library.selection.active).toBe(-1)
  })

  it('filters by name and says when nothing is left', async () => {
    await show(500)
    const field = screen.getByLabelText('Filter by name')
    await fireEvent.input(field, { target: { value: '00042' } })
    await vi.waitFor(() => expect(names()).toEqual(['IMG_00042.jpg']))
    await fireEvent.input(field, { target: { value: 'nowhere' } })
    expect(await screen.findByText('No name contains “nowhere”')).toBeTruthy()
  })

  it('invites to add a folder when there is none', async () => {
    await show(0)
    expect(await screen.findByRole('button', { name: 'Add folder…' })).toBeTruthy()
  })
})
