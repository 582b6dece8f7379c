export interface PickRequest {
  mode: 'folder' | 'picture' | 'library'
  title: string
  action: string
  /** Why the picker opened, where it was not asked for by a button. */
  reason?: string
  answer: (path: string | null) => void
}

/** The dialog that is open, if any. One at a time. */
export class Dialogs {
  picker = $state.raw<PickRequest | null>(null)
  /** The job whose report is shown. */
  reportJobId = $state<number | null>(null)
  shortcuts = $state(false)

  get open(): boolean {
    return this.picker !== null || this.reportJobId !== null || this.shortcuts
  }

  /** Lets a person choose a path on the engine's machine. Null when dismissed. */
  pick(request: Omit<PickRequest, 'answer'>): Promise<string | null> {
    this.picker?.answer(null)
    return new Promise((resolve) => {
      this.picker = {
        ...request,
        answer: (path) => {
          this.picker = null
          resolve(path)
        },
      }
    })
  }
}

export const dialogs = new Dialogs()
