/** A seeded generator: the same seed gives the same sequence on every machine. Not for secrets. */
export interface Random {
  /** Uniform in [0, 1), with 32 bits of resolution. */
  next(): number
  /** Normal, mean 0 and standard deviation 1. */
  normal(): number
  /** A whole number, uniform in 0 … maxExclusive − 1. */
  integer(maxExclusive: number): number
}

/**
 * xoshiro128** (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2018), its state
 * filled by splitmix32 from `seed` (taken as an unsigned 32-bit whole number). Normal deviates by the
 * polar method of Marsaglia & Bray (1964).
 */
export function createRandom(seed: number): Random {
  let mixed = seed >>> 0
  let a = splitmix()
  let b = splitmix()
  let c = splitmix()
  let d = splitmix()
  let spare: number | undefined

  function splitmix(): number {
    mixed = (mixed + 0x9e3779b9) | 0
    return scramble(mixed)
  }

  function next(): number {
    const product = Math.imul(b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return (result >>> 0) / 2 ** 32
  }

  function normal(): number {
    if (spare !== undefined) {
      const value = spare
      spare = undefined
      return value
    }
    for (;;) {
      const x = 2 * next() - 1
      const y = 2 * next() - 1
      const square = x * x + y * y
      if (square === 0 || square >= 1) continue
      const factor = Math.sqrt((-2 * Math.log(square)) / square)
      spare = y * factor
      return x * factor
    }
  }

  return { next, normal, integer: (maxExclusive) => Math.floor(next() * maxExclusive) }
}

/** One seed out of several whole numbers; their order matters. */
export function seedFrom(...parts: number[]): number {
  let seed = parts.length
  for (const part of parts) seed = scramble((seed ^ part) + 0x9e3779b9)
  return seed >>> 0
}

/** The finaliser of MurmurHash3 (Appleby): every input bit reaches every output bit. */
function scramble(value: number): number {
  let mixed = value | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
