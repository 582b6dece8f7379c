import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'

/** Drops or pastes files on the page, as a person would from their file manager or clipboard. */
export async function giveFile(page: Page, how: 'drop' | 'paste', file: string): Promise<void> {
  const bytes = [...(await readFile(file))]
  await page.evaluate(
    ({ how, bytes, name }) => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([new Uint8Array(bytes)], name, { type: 'image/jpeg' }))
      const target = document.body
      if (how === 'paste') {
        target.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }))
      } else {
        for (const type of ['dragenter', 'dragover', 'drop']) {
          target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }))
        }
      }
    },
    { how, bytes, name: path.basename(file) },
  )
}
