import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { JobKind } from '$contract'
import { jobs } from '../../renderer/src/features/jobs/jobs.svelte.ts'
import { library } from '../../renderer/src/features/library/library.svelte.ts'
import { undoableText } from '../../renderer/src/features/settings/findings.ts'
import ImportDialog from '../../renderer/src/features/settings/ImportDialog.svelte'
import IndexingSection from '../../renderer/src/features/settings/IndexingSection.svelte'
import StorageSection from '../../renderer/src/features/settings/StorageSection.svelte'
import { verify } from '../../renderer/src/features/settings/task.svelte.ts'
import UndoSection from '../../renderer/src/features/settings/UndoSection.svelte'
import VerifySection from '../../renderer/src/features/settings/VerifySection.svelte'
import { startFake } from './support.ts'

library.begin()
jobs.begin()
afterEach(cleanup)

type Fake = Awaited<ReturnType<typeof startFake>>

/** Runs the last job of a kind to its end. */
async function finish(fake: Fake, kind: JobKind) {
  await vi.waitFor(() => expect(fake.specs.at(-1)?.kind).toBe(kind))
  fake.update(fake.jobs.at(-1)!.id, { state: 'done', done: 10, finishedAt: 1 })
}

describe('the settings of the library', () => {
  it('are read, changed and shown as the engine took them', async () => {
    const fake = await startFake({ count: 10 })
    render(IndexingSection)
    const follow = await screen.findByRole<HTMLInputElement>('checkbox', { name: /Follow changes/ })
    expect(follow.checked).toBe(true)
    await fireEvent.click(follow)
    await fireEvent.change(screen.getByLabelText('Pictures read at the same time'), { target: { value: '4' } })
    await vi.waitFor(async () => expect(await fake.handlers.library.settings({})).toMatchObject({ watch: false, concurrency: 4 }))
    expect(follow.checked).toBe(false)
  })

  it('say what the bytes are for', async () => {
    await startFake({ count: 10 })
    render(StorageSection)
    await screen.findByText('Thumbnails')
    const rows = [...document.querySelectorAll('dl > div')].map((row) => row.textContent!.trim().replace(/\s+/g, ' '))
    // What is unused lies in the catalog, and is counted once.
    expect(rows).toEqual(expect.arrayContaining(['Thumbnails 480 MB', 'Catalog 28.0 MB', 'Unused 12.0 MB', 'In all 612 MB']))
  })

  it('follow a verification to its report', async () => {
    const fake = await startFake({ count: 10 })
    render(VerifySection)
    await fireEvent.click(screen.getByRole('checkbox', { name: /Read every file/ }))
    await fireEvent.click(screen.getByRole('button', { name: 'Verify library' }))
    await vi.waitFor(() => expect(verify.running).toBe(true))
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Verify library' }).disabled).toBe(true)
    expect(screen.getByRole('progressbar', { name: 'Verifying' })).toBeTruthy()
    expect(fake.specs.at(-1)).toEqual({ kind: 'verify', thorough: true })
    await finish(fake, 'verify')
    expect(await screen.findByText('2 thumbnails made again')).toBeTruthy()
    expect(screen.getByText('/home/anna/Pictures/2026/Lisbon/IMG_00007.jpg')).toBeTruthy()
    expect(screen.getByText('Search finds 99.7 % of what an exact scan finds.')).toBeTruthy()
  })

  it('show what an exported library holds, and what became of it', async () => {
    HTMLDialogElement.prototype.showModal = function () {
      this.open = true
    }
    const fake = await startFake({ count: 10 })
    render(ImportDialog, { path: '/home/anna/studio.lucidex', onclose: () => {} })
    expect(await screen.findByText(/1,000 files, not here: it will be offline/)).toBeTruthy()
    await fireEvent.click(screen.getByRole('button', { name: 'Import' }))
    await finish(fake, 'import-library')
    expect(fake.specs.at(-1)).toEqual({ kind: 'import-library', path: '/home/anna/studio.lucidex', map: [] })
    expect(await screen.findByText('pictures added')).toBeTruthy()
    expect(screen.getByText(/1 folder is offline/)).toBeTruthy()
  })

  it('list what was taken out, and put it back', async () => {
    const fake = await startFake({ count: 10 })
    await fake.handlers.library.removeFolder({ folderId: 1 })
    render(UndoSection)
    expect(await screen.findByText('“2026” taken out, with 10 files', { exact: false })).toBeTruthy()
    await fireEvent.click(screen.getByRole('button', { name: 'Put back' }))
    expect(await screen.findByText(/^Nothing\./)).toBeTruthy()
    expect((await fake.handlers.library.folders({})).length).toBe(1)
  })

  it('name each kind of removal', () => {
    const at = Date.UTC(2026, 10, 21)
    expect(undoableText({ id: 1, kind: 'forget-missing', folder: '/a/Archive', count: 1, at }).title).toBe(
      '1 missing file forgotten in “Archive”',
    )
    expect(undoableText({ id: 2, kind: 'ignore', folder: null, count: 3, at }).title).toBe('3 problems set aside')
  })
})
