/** Lets the browser save something: a body made here, or an address of this origin. */
export function download(what: Blob | string, name = ''): void {
  const anchor = document.createElement('a')
  anchor.href = typeof what === 'string' ? what : URL.createObjectURL(what)
  anchor.download = name
  anchor.click()
  // The download has its own hold of the blob by the time a task has passed.
  if (typeof what !== 'string') setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000)
}
