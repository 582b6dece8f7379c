/** Keys that move a slider or a choice. Any other key on them is the view's. */
const MOVING = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown', ' '])

/** Whether a key belongs to what has the focus (typing, a slider, an open dialog) rather than to the view. */
export function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true
  const target = event.target
  if (!(target instanceof Element)) return false
  if (target.closest('input[type="range"], input[type="radio"], [role="slider"]')) return MOVING.has(event.key)
  return target.closest('input, select, textarea, [contenteditable], dialog') !== null
}

/** Whether Enter or Space would press the focused button or link. */
export function isOnButton(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest('button, a') !== null
}

export const SHORTCUTS: { title: string; keys: [keys: string[], does: string][] }[] = [
  {
    title: 'Everywhere',
    keys: [
      [['1', '2', '3', '4'], 'Library, Search, Denoise, Batch'],
      [['Ctrl', 'V'], 'Find the copied picture'],
      [['/'], 'Filter by name'],
      [['I'], 'Show or hide the inspector'],
      [['Esc'], 'Back, or clear the selection'],
      [['?'], 'This sheet'],
    ],
  },
  {
    title: 'Pictures',
    keys: [
      [['←', '→', '↑', '↓'], 'Move'],
      [['Shift', '→'], 'Extend the selection'],
      [['Ctrl', 'A'], 'Select all'],
      [['Space'], 'Quick look'],
      [['Enter'], 'Open in Denoise'],
      [['S'], 'Find similar'],
      [['D'], 'Denoise the selection'],
    ],
  },
  {
    title: 'Denoise',
    keys: [
      [['Space'], 'Hold to see the original'],
      [['V'], 'Split or side by side'],
      [['R'], 'What was removed'],
      [['F'], 'Difference'],
      [[',', '.'], 'Amplify less or more'],
      [['C'], 'Confidence'],
      [['L'], 'Loupe'],
      [['+', '−'], 'Zoom'],
      [['0', '1'], 'Fit, or 100 %'],
      [['←', '→', '↑', '↓'], 'Pan'],
      [['[', ']'], 'Strength'],
      [['Ctrl', 'Z'], 'Undo'],
      [['Ctrl', 'Y'], 'Redo'],
      [['Backspace'], 'Reset all settings'],
      [['E'], 'Export'],
    ],
  },
]
