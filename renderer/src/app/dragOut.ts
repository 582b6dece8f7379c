import type { Attachment } from 'svelte/attachments'
import { desktop } from '../engine/desktop.ts'

/** Lets a file on the disk be dragged by an element to another application. A browser cannot; there nothing happens. */
export function dragOut(path: string | null): Attachment<HTMLElement> {
  return (element) => {
    if (!desktop || path === null) return
    const host = desktop
    const start = (event: DragEvent) => {
      // The host drags the file itself instead of the page's text.
      event.preventDefault()
      void host.startDrag(path)
    }
    element.draggable = true
    element.addEventListener('dragstart', start)
    return () => {
      element.draggable = false
      element.removeEventListener('dragstart', start)
    }
  }
}
