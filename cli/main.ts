import { toErrorData } from '../core/contract/errors.ts'
import { EXIT, UsageError, type Command } from './args.ts'
import { processIo, type Io } from './io.ts'

/** Each command's module is loaded when it is called: `doctor` must run where a native module does not load. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  denoise: async () => (await import('./commands/denoise.ts')).denoise,
  index: async () => (await import('./commands/index.ts')).index,
  search: async () => (await import('./commands/search.ts')).search,
  status: async () => (await import('./commands/status.ts')).status,
  verify: async () => (await import('./commands/verify.ts')).verify,
  export: async () => (await import('./commands/export.ts')).exportLibrary,
  import: async () => (await import('./commands/import.ts')).importLibrary,
  compact: async () => (await import('./commands/compact.ts')).compact,
  serve: async () => (await import('./commands/serve.ts')).serve,
  doctor: async () => (await import('./commands/doctor.ts')).doctor,
  bench: async () => (await import('./commands/bench.ts')).bench,
}

const HELP = `Lucidex cleans noisy pictures and finds pictures by picture, on your own machine.

Usage: lucidex <command> [options]

  denoise <files|folders…>   take the noise out of pictures
  index <folders…>           add folders to the library, or bring them up to date
  search <image>             find the pictures that look like one
  status                     what the library holds
  verify                     check the library, and repair what can be computed again
  export <file>              write the whole library into one file
  import <file>              merge an exported library into this one
  compact                    give the library's unused bytes back to the disk
  serve                      open the app in a browser
  doctor                     check this installation
  bench <what>               measure quality, speed and memory here

lucidex <command> --help tells more. Every command takes --json.
Exit status: 0 all went well, 1 some items failed, 2 bad usage, 130 interrupted.`

/** Runs one command line (without node and script) and answers with its exit status. Never throws. */
export async function main(args: string[], io: Io = processIo): Promise<number> {
  const [name, ...rest] = args
  try {
    if (name === undefined) throw new UsageError('a command is missing')
    if (name === '--help' || name === '-h' || name === 'help') return print(HELP, io)
    if (name === '--version') return print((await import('./paths.ts')).VERSION, io)
    if (!Object.hasOwn(COMMANDS, name)) throw new UsageError(`there is no command "${name}"`)
    const command = await COMMANDS[name]!()
    if (rest.includes('--help') || rest.includes('-h')) return print(command.help, io)
    return await command.run(rest, io)
  } catch (thrown) {
    return tell(thrown, args, io)
  }
}

function print(text: string, io: Io): number {
  io.print(text)
  return EXIT.ok
}

/** With --json, standard output still gets its one document. */
function tell(thrown: unknown, args: string[], io: Io): number {
  const usage = thrown instanceof UsageError
  const error = usage ? { code: 'BAD_REQUEST', message: thrown.message } : toErrorData(thrown)
  if (args.includes('--json')) io.print(JSON.stringify({ error }, null, 2))
  const about = 'path' in error && error.path !== undefined && !error.message.includes(error.path) ? `${error.path}: ` : ''
  io.note(`lucidex: ${about}${error.message}`)
  if (error.code === 'CANCELLED') return EXIT.interrupted
  if (usage) io.note(`Try: lucidex ${Object.hasOwn(COMMANDS, args[0] ?? '') ? `${args[0]} ` : ''}--help`)
  return usage ? EXIT.usage : EXIT.someFailed
}
