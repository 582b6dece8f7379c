import { spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'

const PROGRAMS = path.join(import.meta.dirname, 'programs')

/** A process of its own that works on a library, to be killed. It says what it does on its standard output, a word a line. */
export class Victim {
  readonly #child: ChildProcess
  readonly #exit: Promise<NodeJS.Signals | number | null>
  #said = ''
  #errors = ''
  readonly #listeners = new Set<() => void>()

  /** Runs `programs/<name>.ts` with the arguments, as the user `uid` where one is given. */
  constructor(name: string, args: readonly string[], { uid }: { uid?: number } = {}) {
    this.#child = spawn(process.execPath, [path.join(PROGRAMS, `${name}.ts`), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(uid !== undefined && { uid, gid: uid }),
    })
    this.#child.stdout!.on('data', (chunk: Buffer) => {
      this.#said += chunk.toString()
      for (const listener of this.#listeners) listener()
    })
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    this.#exit = new Promise((resolve) =>
      this.#child.on('close', (code, signal) => {
        for (const listener of this.#listeners) listener()
        resolve(signal ?? code)
      }),
    )
  }

  /** Everything that was said. */
  get said(): string {
    return this.#said
  }

  /** Resolves when it has said `word`. Rejects when it ends without. */
  async says(word: string): Promise<void> {
    while (!this.#said.includes(`${word}\n`)) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error(`It ended without "${word}": ${this.#errors}`)
      await new Promise<void>((resolve) => {
        const listener = () => {
          this.#listeners.delete(listener)
          resolve()
        }
        this.#listeners.add(listener)
      })
    }
  }

  /** Kills it as nothing can be caught. Answers whether it was still alive. */
  async kill(): Promise<boolean> {
    this.#child.kill('SIGKILL')
    return (await this.#exit) === 'SIGKILL'
  }

  /** Waits for its end. Throws when that is a failure. */
  async ends(): Promise<void> {
    const how = await this.#exit
    if (how !== 0) throw new Error(`It ended with ${how}: ${this.#errors}`)
  }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
