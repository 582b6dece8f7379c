import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { LucidexError } from '../../contract/errors.ts'

/** What of libheif's C interface is used (libheif/heif.h); addresses are numbers. */
export interface LibHeif {
  /** Its memory: another array whenever it has grown. */
  readonly heap: Uint8Array
  malloc(bytes: number): number
  free(at: number): void
  heif_context_alloc(): number
  heif_context_free(context: number): void
  heif_context_read_from_memory(error: number, context: number, at: number, bytes: number, options: number): void
  heif_context_get_number_of_top_level_images(context: number): number
  heif_context_get_primary_image_handle(error: number, context: number, handle: number): void
  heif_image_handle_release(handle: number): void
  heif_image_handle_get_width(handle: number): number
  heif_image_handle_get_height(handle: number): number
  heif_image_handle_get_luma_bits_per_pixel(handle: number): number
  heif_image_handle_has_alpha_channel(handle: number): number
  heif_image_handle_get_color_profile_type(handle: number): number
  heif_image_handle_get_raw_color_profile_size(handle: number): number
  heif_image_handle_get_raw_color_profile(error: number, handle: number, at: number): void
  heif_image_handle_get_nclx_color_profile(error: number, handle: number, profile: number): void
  heif_nclx_color_profile_free(profile: number): void
  heif_image_handle_get_number_of_metadata_blocks(handle: number, filter: number): number
  heif_image_handle_get_list_of_metadata_block_IDs(handle: number, filter: number, ids: number, count: number): number
  heif_image_handle_get_metadata_type(handle: number, id: number): number
  heif_image_handle_get_metadata_content_type(handle: number, id: number): number
  heif_image_handle_get_metadata_size(handle: number, id: number): number
  heif_image_handle_get_metadata(error: number, handle: number, id: number, at: number): void
  heif_decode_image(error: number, handle: number, image: number, colourSpace: number, chroma: number, options: number): void
  heif_image_get_width(image: number, channel: number): number
  heif_image_get_height(image: number, channel: number): number
  heif_image_get_plane_readonly(image: number, channel: number, stride: number): number
  heif_image_get_bits_per_pixel_range(image: number, channel: number): number
  heif_image_release(image: number): void
}

/** An instance that has grown beyond this is not kept: WebAssembly never gives memory back. */
const KEPT_BYTES = 256 * 2 ** 20

/** What Emscripten makes of a library: C's names behind an underscore. */
interface Emscripten {
  HEAPU8: Uint8Array
  [name: `_${string}`]: unknown
}

let loading: Promise<LibHeif> | undefined

function load(): Promise<LibHeif> {
  loading ??= (async () => {
    const require = createRequire(import.meta.url)
    const wasmBinary = await readFile(require.resolve('libheif-js/libheif-wasm/libheif.wasm'))
    const create = require('libheif-js/libheif-wasm/libheif.js') as (options: object) => Emscripten
    // What it prints of broken files says nothing to anyone.
    const module = create({ wasmBinary, print() {}, printErr() {} })
    const functions = Object.entries(module).flatMap(([name, value]) => (name.startsWith('_') ? [[name.slice(1), value]] : []))
    return Object.defineProperty(Object.fromEntries(functions), 'heap', { get: () => module.HEAPU8 }) as LibHeif
  })()
  return loading
}

/** The primary picture of a file that lies in the library's memory. */
export interface Primary {
  lib: LibHeif
  context: number
  handle: number
  /** Named in errors. */
  path: string | undefined
}

/**
 * Opens a file for as long as `use` takes. Errors: those of `use`, PICTURE_CORRUPT, PICTURE_TRUNCATED,
 * PICTURE_TOO_LARGE, FORMAT_UNSUPPORTED.
 */
export async function withPrimary<T>(bytes: Uint8Array, path: string | undefined, use: (primary: Primary) => T): Promise<T> {
  const lib = await load()
  try {
    return scoped(lib, (alloc) => {
      const context = lib.heif_context_alloc()
      try {
        const file = alloc(bytes.length)
        lib.heap.set(bytes, file)
        check(lib, path, (error) => lib.heif_context_read_from_memory(error, context, file, bytes.length, 0))
        const pointer = alloc(4)
        check(lib, path, (error) => lib.heif_context_get_primary_image_handle(error, context, pointer))
        const handle = longAt(lib, pointer)
        try {
          return use({ lib, context, handle, path })
        } finally {
          lib.heif_image_handle_release(handle)
        }
      } finally {
        lib.heif_context_free(context)
      }
    })
  } catch (thrown) {
    if (thrown instanceof LucidexError) throw thrown
    // It ran out of its memory or into itself: the next file gets a new instance.
    loading = undefined
    throw new LucidexError('PICTURE_CORRUPT', `The picture is damaged: ${(thrown as Error).message}`, { path, cause: thrown })
  } finally {
    if (lib.heap.length > KEPT_BYTES) loading = undefined
  }
}

/** Memory of the library that is given back when `use` is done. */
export function scoped<T>(lib: LibHeif, use: (alloc: (bytes: number) => number) => T): T {
  const taken: number[] = []
  const alloc = (bytes: number) => {
    const at = lib.malloc(bytes)
    if (at === 0) throw new Error('out of memory')
    taken.push(at)
    return at
  }
  try {
    return use(alloc)
  } finally {
    for (const at of taken) lib.free(at)
  }
}

/** heif_error_code: an unsupported file type or feature. */
const UNSUPPORTED: ReadonlySet<number> = new Set([3, 4])
/** heif_suberror_code. */
const END_OF_DATA = 100
const LIMIT_EXCEEDED = 1000

/** Calls a function that answers a heif_error {code, subcode, message} through the pointer it is given. */
export function check(lib: LibHeif, path: string | undefined, call: (error: number) => void): void {
  scoped(lib, (alloc) => {
    const error = alloc(12)
    call(error)
    const code = longAt(lib, error)
    if (code === 0) return
    const subcode = longAt(lib, error + 4)
    const message = textAt(lib, longAt(lib, error + 8))
    if (subcode === LIMIT_EXCEEDED) throw new LucidexError('PICTURE_TOO_LARGE', `The picture is too large: ${message}`, { path })
    if (subcode === END_OF_DATA) throw new LucidexError('PICTURE_TRUNCATED', 'The picture is cut short', { path })
    if (UNSUPPORTED.has(code)) throw new LucidexError('FORMAT_UNSUPPORTED', `This HEIC file is not read: ${message}`, { path })
    throw new LucidexError('PICTURE_CORRUPT', `The picture is damaged: ${message}`, { path })
  })
}

export function longAt({ heap }: LibHeif, at: number): number {
  return (heap[at]! | (heap[at + 1]! << 8) | (heap[at + 2]! << 16) | (heap[at + 3]! << 24)) >>> 0
}

export function textAt({ heap }: LibHeif, at: number): string {
  return at === 0 ? '' : Buffer.from(heap.subarray(at, heap.indexOf(0, at))).toString('utf8')
}
