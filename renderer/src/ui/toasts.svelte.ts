export interface Toast {
  id: number
  tone: 'plain' | 'good' | 'bad'
  title: string
  text?: string
  action?: { label: string; run: () => void }
}

const STAY_MS = 6000
const STAY_WITH_ACTION_MS = 12_000
const MOST = 3

/** Short messages at the foot of the window. Failures stay until they are closed. */
export class Toasts {
  shown = $state.raw<Toast[]>([])
  #next = 1

  show(toast: Omit<Toast, 'id'>): void {
    const id = this.#next++
    this.shown = [...this.shown.slice(1 - MOST), { ...toast, id }]
    if (toast.tone !== 'bad') setTimeout(() => this.close(id), toast.action ? STAY_WITH_ACTION_MS : STAY_MS)
  }

  fail(title: string, text?: string): void {
    this.show({ tone: 'bad', title, text })
  }

  close(id: number): void {
    this.shown = this.shown.filter((toast) => toast.id !== id)
  }
}

export const toasts = new Toasts()
