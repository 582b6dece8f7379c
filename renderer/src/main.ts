import './ui/base.css'
import { mount } from 'svelte'
import { z } from 'zod'
import App from './app/App.svelte'
import { preferences } from './app/preferences.svelte.ts'
import { browserHost } from './engine/browserHost.ts'
import { desktop } from './engine/desktop.ts'
import { electronHost } from './engine/electronHost.ts'
import { engine } from './engine/engine.svelte.ts'

// zod compiles its parsers with eval, which the page's CSP refuses.
z.config({ jitless: true })

preferences.applyTheme()
mount(App, { target: document.getElementById('app')! })
engine.start(desktop ? electronHost() : browserHost())
