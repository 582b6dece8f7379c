#!/usr/bin/env node
// The command's entry. Plain JavaScript that any Node can read, because it has to say so when Node is
// too old: nothing native, and no TypeScript, is loaded before that.
const NEEDED = 24

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  console.error(`Lucidex needs Node ${NEEDED} or newer; this is ${process.version} (${process.execPath}).`)
  console.error(
    'In a checkout use `npm run -s lucidex -- <command>`, which brings its own Node; otherwise install a newer one from https://nodejs.org.',
  )
  process.exit(2)
}

// A reader such as `head` may leave before we are done.
process.stdout.on('error', (error) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const { main } = await import('./main.ts')
process.exitCode = await main(process.argv.slice(2))
