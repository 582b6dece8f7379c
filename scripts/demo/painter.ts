/** A worker thread that paints: it is sent a picture and the folder of all of them, and answers when its file is there. */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { parentPort } from 'node:worker_threads'
import { paintPicture, type DemoPicture } from './pictures.ts'

parentPort!.on('message', async ({ picture, folder }: { picture: DemoPicture; folder: string }) => {
  const target = path.join(folder, picture.file)
  await mkdir(path.dirname(target), { recursive: true })
  await writeFile(`${target}.part`, await paintPicture(picture))
  await rename(`${target}.part`, target)
  parentPort!.postMessage(picture.file)
})
