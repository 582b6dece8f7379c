import { beforeEach, describe, expect, it, vi } from 'vitest'
import { dialogs } from '../../renderer/src/app/dialogs.svelte.ts'
import { takeDrop, takePaste } from '../../renderer/src/app/intake.ts'
import { router } from '../../renderer/src/app/router.svelte.ts'
import { library } from '../../renderer/src/features/library/library.svelte.ts'
import { search } from '../../renderer/src/features/search/search.svelte.ts'
import { toasts } from '../../renderer/src/ui/toasts.svelte.ts'
import { startFake } from './support.ts'

const picture = (name = 'beach.png') => new File([new Uint8Array([1, 2, 3])], name, { type: 'image/png' })

/** What a drop carries, as far as it is read. */
function dropped(...entries: { file: File; isFolder?: boolean }[]): DataTransfer {
  const items = entries.map(({ file, isFolder = false }) => ({
    kind: 'file',
    getAsFile: () => file,
    webkitGetAsEntry: () => ({ isDirectory: isFolder }),
  }))
  return { items } as unknown as DataTransfer
}

library.begin()

beforeEach(() => {
  search.clear()
  router.go('library')
  for (const toast of toasts.shown) toasts.close(toast.id)
})

describe('in a browser', () => {
  it('a dropped picture is uploaded and searched by', async () => {
    await startFake({ count: 100 })
    await takeDrop(dropped({ file: picture() }))
    expect(router.view).toBe('search')
    await vi.waitFor(() => expect(search.response?.results.length).toBeGreaterThan(0))
    expect(search.subject).toMatchObject({ name: 'beach.png', source: { kind: 'query', id: 'q1' } })
  })

  it('a dropped folder opens the picker with the reason, and what is picked there is added', async () => {
    await startFake({ count: 0 })
    const taken = takeDrop(dropped({ file: new File([], 'Holiday'), isFolder: true }))
    expect(dialogs.picker).toMatchObject({ mode: 'folder' })
    expect(dialogs.picker?.reason).toContain('Holiday')
    dialogs.picker?.answer('/home/anna/Holiday')
    await taken
    await vi.waitFor(() => expect(library.folders.map((folder) => folder.path)).toEqual(['/home/anna/Holiday']))
    expect(router.view).toBe('library')
  })

  it('a picker that is dismissed adds nothing', async () => {
    await startFake({ count: 0 })
    const taken = takeDrop(dropped({ file: new File([], 'Holiday'), isFolder: true }))
    dialogs.picker?.answer(null)
    await taken
    expect(toasts.shown).toEqual([])
    expect(dialogs.open).toBe(false)
  })

  it('of several dropped pictures the first is taken, and that is said', async () => {
    await startFake({ count: 100 })
    await takeDrop(dropped({ file: picture('one.png') }, { file: picture('two.png') }))
    expect(search.subject?.name).toBe('one.png')
    expect(toasts.shown[0]?.title).toBe('One picture at a time')
  })

  it('a pasted picture is searched by, pasted text is left to its field', async () => {
    await startFake({ count: 100 })
    expect(takePaste({ files: [] } as unknown as DataTransfer)).toBe(false)
    expect(takePaste({ files: [picture('')] } as unknown as DataTransfer)).toBe(true)
    await vi.waitFor(() => expect(search.subject?.name).toBe('Pasted picture'))
  })

  it('a picture beyond the limit is refused before it is read', async () => {
    await startFake({ count: 100 })
    const huge = picture('huge.tif')
    Object.defineProperty(huge, 'size', { value: 65 * 1024 * 1024 })
    await takeDrop(dropped({ file: huge }))
    expect(toasts.shown[0]?.title).toBe('huge.tif is too large')
    expect(search.subject).toBeNull()
  })
})
