import path from 'node:path'
import type { Database } from 'better-sqlite3'
import type { TreeNode } from '../../contract/index.ts'
import { below, directoryOf } from './filter.ts'

interface DirectoryCount {
  directory: string
  state: string
  ignored: number
  count: number
}

export type TreeQueries = ReturnType<typeof treeQueries>

export function treeQueries(db: Database) {
  const counts = db.prepare<[number, string, string], DirectoryCount>(
    // In the order of the index: nothing is sorted.
    `SELECT directory, state, ignored, COUNT(*) AS count FROM file
     WHERE folder = ? AND directory > ? AND directory < ? GROUP BY directory, state, ignored`,
  )
  const byName = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' })

  return {
    /** The folders directly inside a folder of the library, or inside one in it, each with all that lies below it. One walk along one index. */
    children(folder: { id: number; path: string }, within: string | undefined): TreeNode[] {
      const directory = directoryOf(folder.path, within)
      const { after, before } = below(directory)
      const nodes = new Map<string, TreeNode>()
      for (const row of counts.iterate(folder.id, after, before)) {
        const inside = row.directory.slice(after.length)
        const [name = ''] = inside.split(path.sep, 1)
        let node = nodes.get(name)
        if (!node) {
          const own = within === undefined ? name : `${within}/${name}`
          node = { within: own, name, counts: { files: 0, pending: 0, failed: 0, missing: 0 }, hasChildren: false }
          nodes.set(name, node)
        }
        if (inside.length > name.length) node.hasChildren = true
        node.counts.files += row.count
        if (row.state === 'pending' || row.state === 'missing') node.counts[row.state] += row.count
        if (row.state === 'failed' && row.ignored === 0) node.counts.failed += row.count
      }
      return [...nodes.values()].sort((a, b) => byName.compare(a.name, b.name))
    },
  }
}
