/** The names of every message between the main process and the preload script, and between the preload script and the page. */
export const CHANNEL = {
  rendererReady: 'lucidex:renderer-ready',
  enginePort: 'lucidex:engine-port',
  menu: 'lucidex:menu',
  chooseFolders: 'lucidex:choose-folders',
  chooseFolder: 'lucidex:choose-folder',
  choosePicture: 'lucidex:choose-picture',
  chooseLibrary: 'lucidex:choose-library',
  chooseSave: 'lucidex:choose-save',
  revealInFolder: 'lucidex:reveal-in-folder',
  startDrag: 'lucidex:start-drag',
} as const
