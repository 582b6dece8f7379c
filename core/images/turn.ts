/** How a picture is laid: left and right exchanged or not, then turned by quarters clockwise. */
export interface Turn {
  mirrored: boolean
  turns: 0 | 1 | 2 | 3
}

export interface Samples {
  data: Uint8Array
  width: number
  height: number
}

/** The samples mirrored and turned, row by row, `channels` to a pixel; the same ones where they lie right already. */
export function turnSamples(samples: Samples, channels: number, { mirrored, turns }: Turn): Samples {
  if (!mirrored && turns === 0) return samples
  const { data, width, height } = samples
  const sideways = turns % 2 === 1
  const result = { data: new Uint8Array(data.length), width: sideways ? height : width, height: sideways ? width : height }
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const column = mirrored ? width - 1 - x : x
      const [toX, toY] = place(column, y)
      const from = (y * width + x) * channels
      const to = (toY * result.width + toX) * channels
      for (let channel = 0; channel < channels; channel++) result.data[to + channel] = data[from + channel]!
    }
  }
  return result

  function place(x: number, y: number): [number, number] {
    if (turns === 1) return [height - 1 - y, x]
    if (turns === 2) return [width - 1 - x, height - 1 - y]
    return turns === 3 ? [y, width - 1 - x] : [x, y]
  }
}
