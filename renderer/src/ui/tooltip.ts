import type { Attachment } from 'svelte/attachments'

const DELAY_MS = 450
const GAP_PX = 6

/** Shows `text` beside an element that is hovered or focused by keyboard. The element carries its own accessible name. */
export function tooltip(text: string | undefined): Attachment<HTMLElement> {
  return (element) => {
    if (!text) return
    let bubble: HTMLDivElement | undefined
    let timer: ReturnType<typeof setTimeout> | undefined

    const show = () => {
      bubble = document.createElement('div')
      bubble.className = 'tooltip'
      bubble.setAttribute('aria-hidden', 'true')
      bubble.textContent = text
      // Inside an open dialog's top layer when there is one, or it would lie beneath it.
      ;(element.closest('dialog') ?? document.body).append(bubble)
      const anchor = element.getBoundingClientRect()
      const own = bubble.getBoundingClientRect()
      const below = anchor.bottom + GAP_PX
      const top = below + own.height > innerHeight ? anchor.top - own.height - GAP_PX : below
      const left = Math.min(innerWidth - own.width - GAP_PX, Math.max(GAP_PX, anchor.left + (anchor.width - own.width) / 2))
      bubble.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`
    }
    const schedule = () => {
      clearTimeout(timer)
      timer = setTimeout(show, DELAY_MS)
    }
    const onFocus = () => {
      if (element.matches(':focus-visible')) schedule()
    }
    const hide = () => {
      clearTimeout(timer)
      bubble?.remove()
      bubble = undefined
    }

    element.addEventListener('pointerenter', schedule)
    element.addEventListener('focus', onFocus)
    for (const event of ['pointerleave', 'pointerdown', 'blur']) element.addEventListener(event, hide)
    return () => {
      hide()
      element.removeEventListener('pointerenter', schedule)
      element.removeEventListener('focus', onFocus)
      for (const event of ['pointerleave', 'pointerdown', 'blur']) element.removeEventListener(event, hide)
    }
  }
}
