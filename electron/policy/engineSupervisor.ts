import type { ErrorData } from '../../core/contract/errors.ts'
import type { EngineConfig } from '../../core/deps.ts'
import type { UtilityReport, UtilityRequest } from '../../core/hosts/utility.ts'
import { EngineDecoders, type EngineDecodersEffects } from './engineDecoders.ts'
import { restartPolicy } from './restart.ts'

/** A running engine process. */
export interface EngineChild<Port> {
  post(request: UtilityRequest, ports?: Port[]): void
  kill(): void
}

export interface EngineChildListeners {
  onReport(report: UtilityReport): void
  /** The process is gone; `reason` is for people. */
  onExit(reason: string): void
}

export interface EngineSupervisorEffects<Port> extends EngineDecodersEffects<Port> {
  spawn(listeners: EngineChildListeners): EngineChild<Port>
  /** Milliseconds, steady. */
  now(): number
  /** The port on which this engine answers media requests; null while there is no engine. */
  onMediaPort(port: Port | null): void
  /** The engine crashed. `restarted`: it was started again; otherwise only {@link EngineSupervisor.start} does. */
  onCrash(crash: { reason: string; restarted: boolean }): void
  /** The library could not be opened, and that engine is gone; it is not tried again by itself. */
  onFailed(error: ErrorData): void
}

/** How long a stopping engine may take to write what is due, and how long a killed one to disappear: milliseconds. */
export const STOP_GRACE_MS = 8_000
export const KILL_GRACE_MS = 2_000

/**
 * Keeps one engine process running and every window connected to it. "A window outlives its engine":
 * each window is remembered by a key and gets a fresh port from every engine started later.
 */
export class EngineSupervisor<Port> {
  readonly #effects: EngineSupervisorEffects<Port>
  readonly #windows = new Map<number, (port: Port) => void>()
  #child: EngineChild<Port> | null = null
  #crashes: number[] = []
  #failure: ErrorData | null = null
  /** Set once stopping: nothing is started after that. */
  #stopped: Promise<void> | null = null
  #onEnd: () => void = () => {}

  constructor(effects: EngineSupervisorEffects<Port>) {
    this.#effects = effects
  }

  /** Starts the engine with `config`, and again with the same after a crash. Does nothing while one runs. */
  start(config: EngineConfig): void {
    if (this.#child || this.#stopped) return
    this.#failure = null
    const decoders = new EngineDecoders(this.#effects, (request, ports) => child.post(request, ports))
    const child = this.#effects.spawn({
      onReport: (report) => {
        if (report.type === 'failed') this.#failure = report.error
        else if (report.type === 'spawn-decoder') decoders.start(report.id)
        else decoders.kill(report.id)
      },
      onExit: (reason) => {
        decoders.end()
        this.#onExit(child, reason, config)
      },
    })
    this.#child = child
    child.post({ type: 'start', config })
    const [ours, theirs] = this.#effects.channel()
    child.post({ type: 'media' }, [theirs])
    this.#effects.onMediaPort(ours)
    for (const deliver of this.#windows.values()) this.#connect(deliver)
  }

  /** A window's page is ready: gives it a port now, and one from each engine started later. False after a reload. */
  addWindow(key: number, deliver: (port: Port) => void): boolean {
    const isNew = !this.#windows.has(key)
    this.#windows.set(key, deliver)
    this.#connect(deliver)
    return isNew
  }

  removeWindow(key: number): void {
    this.#windows.delete(key)
  }

  /** Forgets the crashes so far: the user asked to try again. */
  forgive(): void {
    this.#crashes = []
  }

  /** Asks the engine to close its library and waits for its end: at most {@link STOP_GRACE_MS}, then kills it. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const child = this.#child
    if (!child) return
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve
    })
    child.post({ type: 'shutdown' })
    if (await endsWithin(ended, STOP_GRACE_MS)) return
    child.kill()
    await endsWithin(ended, KILL_GRACE_MS)
  }

  #connect(deliver: (port: Port) => void): void {
    if (!this.#child) return
    const [ours, theirs] = this.#effects.channel()
    this.#child.post({ type: 'client' }, [theirs])
    deliver(ours)
  }

  #onExit(child: EngineChild<Port>, reason: string, config: EngineConfig): void {
    if (this.#child !== child) return
    this.#child = null
    this.#effects.onMediaPort(null)
    if (this.#stopped) {
      this.#onEnd()
      return
    }
    if (this.#failure) {
      this.#effects.onFailed(this.#failure)
      return
    }
    const { restart, crashes } = restartPolicy(this.#crashes, this.#effects.now())
    this.#crashes = crashes
    if (restart) this.start(config)
    this.#effects.onCrash({ reason, restarted: restart })
  }
}

function endsWithin(ended: Promise<void>, milliseconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds, false)
    void ended.then(() => {
      clearTimeout(timer)
      resolve(true)
    })
  })
}
