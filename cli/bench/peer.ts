import { execFile } from 'node:child_process'
import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Io } from '../io.ts'
import { ROOT } from '../paths.ts'
import { openNetwork, type Network } from './network.ts'

const run = promisify(execFile)

/** Where Python with numpy, h5py and onnx may be; the first that works is taken. */
const PYTHONS = ['python3', '/usr/bin/python3']

/**
 * FFDNet (Zhang, Zuo and Zhang, 2018) out of its authors' FFDNet_color.mat, for as long as `work` takes: converted into
 * a temporary folder by training/peers/ffdnet.py and opened in this process. Where that cannot be done, `work`
 * gets null and the reason is said.
 */
export async function withFfdnet<T>(
  mat: string | undefined,
  threads: number,
  io: Io,
  work: (ffdnet: Network | null) => Promise<T>,
): Promise<T> {
  if (mat === undefined) return work(null)
  const folder = await mkdtemp(path.join(tmpdir(), 'lucidex-peer-'))
  try {
    const file = path.join(folder, 'ffdnet.onnx')
    const network = await convert(mat, file)
      .then(() => openNetwork(file, { stride: 2, threads }))
      .catch((thrown: unknown) => {
        io.note(`warning: FFDNET IS LEFT OUT, nothing is compared with it: ${(thrown as Error).message}`)
        return null
      })
    try {
      return await work(network)
    } finally {
      await network?.release()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Errors: an Error that says what is missing, or why no Python could do it. */
async function convert(mat: string, file: string): Promise<void> {
  await access(mat)
  const reasons: string[] = []
  for (const python of PYTHONS) {
    try {
      await run(python, [path.join(ROOT, 'training', 'peers', 'ffdnet.py'), mat, file])
      return
    } catch (thrown) {
      const { stderr, message } = thrown as Error & { stderr?: string }
      reasons.push(`${python}: ${stderr?.trim().split('\n').at(-1) || message}`)
    }
  }
  throw new Error(reasons.join('; '))
}
