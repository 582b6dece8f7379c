/** The vector thread: hnswlib blocks the thread it is called on, and a scan takes the processor. */
import { parentPort, workerData } from 'node:worker_threads'
import { Collection } from './collection.ts'
import type { CollectionMessage, CollectionOptions, CollectionReply } from './messages.ts'

const port = parentPort
if (!port) throw new Error('vectors/worker.ts runs as a worker thread')
const post = (reply: CollectionReply) => port.postMessage(reply)

const collection = new Collection(workerData as CollectionOptions, {
  log: (level, message) => post({ kind: 'log', level, message }),
  changed: (state) => post({ kind: 'state', state }),
})

port.on('message', (message: CollectionMessage) => {
  if (message.kind === 'add') collection.add(message.rows)
  else if (message.kind === 'remove') collection.remove(message.images)
  else if (message.kind === 'filled') collection.filled()
  else if (message.kind === 'search') void answer(message.id, collection.search(message))
  else if (message.kind === 'settle') void answer(message.id, collection.settled())
  else void answer(message.id, collection.close()).then(() => port.close())
})

async function answer(id: number, work: ReturnType<Collection['search']> | Promise<void>): Promise<void> {
  try {
    post({ kind: 'answer', id, answer: (await work) ?? undefined })
  } catch (thrown) {
    post({ kind: 'failure', id, message: (thrown as Error).message })
  }
}
