import { runUtilityHost } from '../core/hosts/utility.ts'

// The entry of the engine's process. Electron only warns of a rejection that nobody handles; here, as
// in Node, it ends the process, and the supervisor starts another.
process.on('unhandledRejection', (reason) => {
  throw reason
})
runUtilityHost(process.parentPort)
