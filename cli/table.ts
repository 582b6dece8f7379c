/** Rows as aligned columns, two spaces apart. Columns whose every cell looks like a number are set to the right. */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths: number[] = []
  const numeric: boolean[] = []
  for (let column = 0; column < columns; column++) {
    const cells = rows.map((row) => row[column] ?? '')
    widths.push(Math.max(...cells.map((cell) => cell.length)))
    // The first row may be a heading.
    numeric.push(cells.slice(1).some((cell) => cell !== '') && cells.slice(1).every((cell) => /^[-+]?[\d.,]*%?$/.test(cell)))
  }
  return rows
    .map((row) =>
      row
        .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Rows as a Markdown table; the first is its heading. */
export function markdownTable([heading = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)].join('\n')
}

/** "4.2 s", "3 min 05 s". */
export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}

/** "12.3 MB", in powers of ten. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  const power = Math.min(4, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toFixed(1)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`
}
