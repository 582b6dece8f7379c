import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ErrorCode, Problem } from '$contract'
import { router } from '../../renderer/src/app/router.svelte.ts'
import { library } from '../../renderer/src/features/library/library.svelte.ts'
import ProblemsView from '../../renderer/src/features/library/ProblemsView.svelte'
import { toasts } from '../../renderer/src/ui/toasts.svelte.ts'
import { startFake } from './support.ts'

// Many elements, on a machine that may be busy.
vi.setConfig({ testTimeout: 30_000 })

library.begin()
beforeEach(() => router.go('problems'))
afterEach(cleanup)

const problem = (index: number, code: ErrorCode): Problem => {
  const path = `/home/anna/Pictures/2026/scan-${String(index).padStart(5, '0')}.jpg`
  return { fileId: index + 1, folderId: 1, path, error: { code, message: 'VipsJpeg: …', path }, seenAt: 0 }
}
const rows = () => [...document.querySelectorAll('[role="listitem"]')]
const labels = () => [...document.querySelectorAll('.codes label')]
const reason = (text: RegExp) =>
  labels()
    .find((label) => text.test(label.textContent))!
    .querySelector('input')!
const names = () => rows().map((row) => row.querySelector('.name')?.textContent)

async function show(problems: Problem[]) {
  const fake = await startFake({ count: 20, problems })
  render(ProblemsView)
  return fake
}

describe('the list of problems', () => {
  it('holds few elements for 10,000 files, by reasons with their counts', async () => {
    await show(Array.from({ length: 10_000 }, (_, index) => problem(index, index % 4 === 0 ? 'FILE_EMPTY' : 'PICTURE_TRUNCATED')))
    await vi.waitFor(() => expect(names()[0]).toBe('scan-00000.jpg'))
    expect(rows().length).toBeLessThan(60)
    expect(rows()[0]!.getAttribute('aria-setsize')).toBe('10000')
    expect(labels().map((label) => label.textContent.trim().replace(/\s+/g, ' '))).toEqual([
      'All reasons 10,000',
      'The picture breaks off before its end 7,500',
      'The file is empty 2,500',
    ])
    await fireEvent.click(reason(/The file is empty/))
    await vi.waitFor(() => expect(names()[1]).toBe('scan-00004.jpg'))
    expect(rows()[0]!.getAttribute('aria-setsize')).toBe('2500')
  })

  it('tries again one, those of a reason, or all', async () => {
    const fake = await show([problem(0, 'FILE_EMPTY'), problem(1, 'PICTURE_TRUNCATED'), problem(2, 'PICTURE_TRUNCATED')])
    const retry = vi.spyOn(fake.handlers.library, 'retry')
    await fireEvent.click(await screen.findByLabelText('Try scan-00001.jpg again'))
    await vi.waitFor(() => expect(retry.mock.lastCall![0]).toEqual({ fileIds: [2] }))
    await fireEvent.click(reason(/breaks off/))
    await fireEvent.click(await screen.findByText('Try these 2 again'))
    await vi.waitFor(() => expect(retry.mock.lastCall![0]).toEqual({ fileIds: [2, 3] }))
    await fireEvent.click(reason(/All reasons/))
    await vi.waitFor(() => expect(names().length).toBe(3))
    await fireEvent.click(await screen.findByText('Try all again'))
    await vi.waitFor(() => expect(retry.mock.lastCall![0]).toEqual({}))
  })

  it('sets one aside and takes it back', async () => {
    await show([problem(0, 'FILE_EMPTY'), problem(1, 'FILE_EMPTY')])
    await fireEvent.click(await screen.findByLabelText('Set scan-00000.jpg aside until it changes'))
    await vi.waitFor(() => expect(names()).toEqual(['scan-00001.jpg']))
    toasts.shown.at(-1)!.action!.run()
    await vi.waitFor(() => expect(names()).toEqual(['scan-00000.jpg', 'scan-00001.jpg']))
  })

  it('says that there are none', async () => {
    await show([])
    expect(await screen.findByText('No problems')).toBeTruthy()
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Try all again' }).disabled).toBe(true)
  })
})
