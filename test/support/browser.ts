import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { ensureChromium } from '../../scripts/find-chromium.mjs'

/** No window, no network of its own: Chromium's background requests fail loudly where there is none. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: await ensureChromium(), args: ARGS })
}

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
