import { mediaPath, type Item, type ItemDetail, type Problem } from '../contract/index.ts'
import type { FileRow } from '../db/index.ts'
import type { ImageRow } from '../db/queries/images.ts'
import type { ItemRow } from '../db/queries/items.ts'

/** A row of the catalog as the grid and the search results show it. */
export function toItem(row: ItemRow): Item {
  return {
    id: row.id,
    name: row.name,
    width: row.width,
    height: row.height,
    bytes: row.bytes,
    state: row.state,
    takenAt: row.taken_at,
    modifiedAt: row.mtime / 1000,
    copies: row.copies,
    url: mediaPath.thumbnail(row.id, row.content_hash),
  }
}

/** All that is known of an image and its files. */
export function toItemDetail(row: ItemRow, image: ImageRow, files: readonly FileRow[]): ItemDetail {
  return {
    ...toItem(row),
    format: image.format,
    bitDepth: image.bit_depth,
    hasAlpha: image.has_alpha === 1,
    profile: image.profile,
    contentHash: image.content_hash,
    sigma: image.sigma,
    metadata: {
      takenAt: image.taken_at,
      camera: image.camera,
      lens: image.lens,
      iso: image.iso,
      exposure: image.exposure,
      aperture: image.aperture,
      focalLength: image.focal_length,
      latitude: image.latitude,
      longitude: image.longitude,
    },
    files: files.map((file) => ({
      id: file.id,
      path: file.path,
      folderId: file.folder,
      state: file.state,
      bytes: file.size,
      modifiedAt: file.mtime / 1000,
    })),
    pictureUrl: mediaPath.picture(image.id, image.content_hash),
  }
}

export function toProblem(file: FileRow): Problem {
  return {
    fileId: file.id,
    folderId: file.folder,
    path: file.path,
    error: { code: file.error_code ?? 'INTERNAL', message: file.error_message ?? '', path: file.path },
    seenAt: file.seen_at,
  }
}
