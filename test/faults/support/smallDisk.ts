import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const FILLER = 'filler'

/** A disk of a few megabytes that can be filled to the last byte and freed again: a file system in memory. */
export class SmallDisk {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Undefined where this process may not mount. */
  static mount(folder: string, megabytes: number): SmallDisk | undefined {
    mkdirSync(folder, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'lucidex-test', folder], { stdio: 'ignore' })
    } catch {
      return undefined
    }
    return new SmallDisk(folder)
  }

  /** Fills it up to so many bytes. */
  fill(leaving: number): void {
    this.free()
    const { bavail, bsize } = statfsSync(this.folder)
    writeFileSync(path.join(this.folder, FILLER), Buffer.alloc(Math.max(0, bavail * bsize - leaving)))
  }

  free(): void {
    rmSync(path.join(this.folder, FILLER), { force: true })
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.folder])
  }
}
