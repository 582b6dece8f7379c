/** What only a desktop host can do; the Electron preload puts it on the window. Absent in a browser. */
export interface Desktop {
  /** The path of a dropped or chosen file; empty when it has none (a pasted picture). */
  pathOf(file: File): string
  /** Native dialogs; empty or null when dismissed. */
  chooseFolders(): Promise<string[]>
  choosePicture(): Promise<string | null>
  /** An exported library (*.lucidex). */
  chooseLibrary(): Promise<string | null>
  chooseSave(defaultName: string): Promise<string | null>
  chooseFolder(): Promise<string | null>
  revealInFolder(path: string): Promise<void>
  /** Lets a file be dropped on another application; called when the dragging begins. */
  startDrag(path: string): Promise<void>
  /** Commands of the application's menu, named as in app/commands.ts. Returns the function that stops listening. */
  onMenu(listener: (command: string) => void): () => void
}

declare global {
  interface Window {
    lucidexDesktop?: Desktop
  }
}

/** The desktop's own abilities, or undefined in a browser. */
export const desktop: Desktop | undefined = typeof window === 'undefined' ? undefined : window.lucidexDesktop
