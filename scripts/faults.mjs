// Every fault of test/faults, many times, and a table of what each of them cost: `npm run bench:faults`.
// A name given as an argument runs only the test files whose names contain it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const folder = mkdtempSync(path.join(tmpdir(), 'lucidex-faults-'))
const table = path.join(folder, 'table')
const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'faults', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, LUCIDEX_FAULTS: 'full', LUCIDEX_FAULTS_TABLE: table },
})
const rows = existsSync(table)
  ? readFileSync(table, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).map(String))
      .sort((a, b) => (a[0] < b[0] ? -1 : 1))
  : []
rmSync(folder, { recursive: true })

const lines = [['fault', 'runs', 'lost', 'doubled', 'wrong answers', 'unsound'], ...rows]
const widths = lines[0].map((_, at) => Math.max(...lines.map((cells) => cells[at].length)))
console.log()
for (const cells of lines) console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[at]))).join('  '))
process.exitCode = status ?? 1
