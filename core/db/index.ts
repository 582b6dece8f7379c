/** The catalog: one SQLite database for each library, its tables and its statements. */
export * from './checkpointer.ts'
export * from './failures.ts'
export * from './open.ts'
export { fileQueries, type FileQueries, type FileRow } from './queries/files.ts'
export { folderQueries, type FolderQueries, type FolderRow } from './queries/folders.ts'
export { imageQueries, type ImageQueries } from './queries/images.ts'
export { itemQueries, type ItemQueries } from './queries/items.ts'
export { vectorQueries, type VectorQueries, type VectorRow } from './queries/vectors.ts'
