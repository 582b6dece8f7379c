/** What a window shows before its page paints: `--canvas` of renderer/src/ui/tokens.css, so that nothing flashes. */
export const BACKGROUND = { light: '#e9e9eb', dark: '#121213' }
