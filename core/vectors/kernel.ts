/** Codes of a row are padded to a multiple of this: the kernel takes them 64 bytes at a time. */
export const LANES = 32

/**
 * The inner products of a query with chosen rows, all of 16-bit whole numbers, as 32-bit ones. Addresses
 * and `stride` (the length of a row, a multiple of 2 · {@link LANES}) are in bytes of the memory; `rows` points at
 * `count` row numbers (u32), `scores` at room for as many results (i32).
 *
 * Sums do not overflow while the Euclidean lengths of two rows, in units of 2¹⁵, multiply to less than 2.
 */
export type InnerProducts = (query: number, codes: number, stride: number, rows: number, count: number, scores: number) => void

/** Memory that the kernel works on. Growing it makes views of its buffer void. */
export interface Memory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

/** What is used of WebAssembly's interface: TypeScript declares it with the DOM only. */
declare const WebAssembly: {
  Memory: new (size: { initial: number; maximum: number }) => Memory
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  Instance: new (module: object, imports: { env: { memory: Memory } }) => { exports: Record<string, unknown> }
}

export const PAGE_BYTES = 65_536

/** Memory of some pages that can grow to 4 GB. */
export function createMemory(pages: number): Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: 65_536 })
}

/**
 * The kernel over a memory, as WebAssembly: its SIMD has the instruction that multiplies eight pairs of 16-bit
 * numbers and adds neighbours, which makes this scan an order of magnitude faster than the same loop in
 * JavaScript (`lucidex bench index` prints its time). It is assembled here because it is too small for a toolchain.
 */
export function innerProducts(memory: Memory): InnerProducts {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble()), { env: { memory } })
  return exports['innerProducts'] as InnerProducts
}

// ---------------------------------------------------------------- The assembler (webassembly.github.io/spec, "Binary Format")

const I32 = 0x7f
const V128 = 0x7b

/** An unsigned number in LEB128. */
function u32(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...u32(value >>> 7)]
}

/** A vector: its length, then its elements. */
function vector(elements: readonly (readonly number[])[]): number[] {
  return [...u32(elements.length), ...elements.flat()]
}

/** Bytes with their number in front: a section's content, a function's code, a name. */
function sized(bytes: readonly number[]): number[] {
  return [...u32(bytes.length), ...bytes]
}

const text = (name: string) => sized([...Buffer.from(name)])
const section = (id: number, content: readonly number[]) => [id, ...sized(content)]

const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const tee = (local: number) => [0x22, local]
/** A constant below 64, whose signed LEB128 is one byte. */
const constant = (value: number) => [0x41, value]
const BLOCK = [0x02, 0x40]
const LOOP = [0x03, 0x40]
const END = [0x0b]
const branch = (depth: number) => [0x0c, depth]
const branchIf = (depth: number) => [0x0d, depth]
const I32_LOAD = [0x28, 2, 0]
const I32_STORE = [0x36, 2, 0]
const I32_LT_U = [0x49]
const I32_GE_U = [0x4f]
const I32_ADD = [0x6a]
const I32_MUL = [0x6c]
const I32_SHL = [0x74]
const simd = (code: number) => [0xfd, ...u32(code)]
const v128Load = (offset: number) => [...simd(0x00), 0, offset]
const ZEROS = [...simd(0x0c), ...Array.from({ length: 16 }, () => 0)]
const lane = (index: number) => [...simd(0x1b), index]
const I32X4_ADD = simd(0xae)
const I32X4_DOT_I16X8_S = simd(0xba)

function assemble(): Uint8Array<ArrayBuffer> {
  // Parameters, then locals.
  const [query, codes, stride, rows, count, scores] = [0, 1, 2, 3, 4, 5] as const
  const [rowsEnd, code, codesEnd, number, sumA, sumB] = [6, 7, 8, 9, 10, 11] as const
  const step = (offset: number, sum: number) =>
    [get(sum), get(code), v128Load(offset), get(number), v128Load(offset), I32X4_DOT_I16X8_S, I32X4_ADD, set(sum)].flat()
  const increase = (local: number, by: number[]) => [...get(local), ...by, ...I32_ADD, ...set(local)]
  // 64 takes two bytes in signed LEB128.
  const sixtyFour = [0x41, 0xc0, 0x00]

  const body = [
    // rowsEnd = rows + 4 · count
    [get(rows), get(count), constant(2), I32_SHL, I32_ADD, set(rowsEnd)],
    [BLOCK, LOOP],
    // while (rows < rowsEnd)
    [get(rows), get(rowsEnd), I32_GE_U, branchIf(1)],
    // code = codes + stride · *rows; codesEnd = code + stride; number = query
    [get(codes), get(rows), I32_LOAD, get(stride), I32_MUL, I32_ADD, tee(code), get(stride), I32_ADD, set(codesEnd)],
    [get(query), set(number), ZEROS, set(sumA), ZEROS, set(sumB)],
    // do … while (code < codesEnd), 32 products at a time; two sums keep the processor's pipeline full
    [LOOP, step(0, sumA), step(16, sumB), step(32, sumA), step(48, sumB)],
    [increase(number, sixtyFour), increase(code, sixtyFour), get(code), get(codesEnd), I32_LT_U, branchIf(0), END],
    // *scores = the sum of all lanes
    [get(scores), get(sumA), get(sumB), I32X4_ADD, tee(sumA), lane(0)],
    [1, 2, 3].flatMap((index) => [get(sumA), lane(index), I32_ADD]),
    [I32_STORE, increase(rows, constant(4)), increase(scores, constant(4)), branch(0)],
    [END, END, END],
  ].flat(2)

  const locals = vector([
    [4, I32],
    [2, V128],
  ])
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // Types, imports (a memory of at least one page), functions, exports, code.
    ...section(1, vector([[0x60, ...vector(Array.from({ length: 6 }, () => [I32])), ...vector([])]])),
    ...section(2, vector([[...text('env'), ...text('memory'), 0x02, 0x00, 1]])),
    ...section(3, vector([[0]])),
    ...section(7, vector([[...text('innerProducts'), 0x00, 0]])),
    ...section(10, vector([sized([...locals, ...body])])),
  ])
}
