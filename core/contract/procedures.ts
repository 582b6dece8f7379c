/**
 * Every procedure of the engine: its one argument and its result, both parsed at the engine's edge.
 * Names are `group.verb`; the client offers them as `engine.group.verb(argument)`.
 */
import { z } from 'zod'
import { ERROR_CODES } from './errors.ts'
import * as s from './schemas.ts'

const nothing = z.object({}).default({})
const done = z.object({})

function procedure<I extends z.ZodType, O extends z.ZodType>(input: I, output: O) {
  return { input, output }
}

export const procedures = {
  app: {
    info: procedure(nothing, s.appInfo),
  },
  library: {
    folders: procedure(nothing, z.array(s.folder)),
    /** Adds a folder and starts indexing it. A folder already covered answers with the covering one. Errors: FOLDER_NOT_FOUND, FOLDER_NOT_READABLE. */
    addFolder: procedure(z.object({ path: s.filePath }), z.object({ folder: s.folder, jobId: s.id.nullable() })),
    /** Takes a folder out of the library; the disk is not touched. Undone by `undo`. */
    removeFolder: procedure(z.object({ folderId: s.id }), z.object({ undoId: s.id })),
    /**
     * What is left out of a folder: patterns in the syntax of gitignore(5), one a line, blind to case. Pictures that they name leave
     * the library, those that they no longer name come back; the disk is not touched. Errors: FOLDER_NOT_FOUND, BAD_REQUEST.
     */
    configureFolder: procedure(z.object({ folderId: s.id, ignore: z.string().max(10_000) }), s.folder),
    /** The folders directly inside a folder of the library, or inside one that lies in it, by name: those that hold pictures at any depth. */
    tree: procedure(s.itemFilter.pick({ folderId: true, within: true }).required({ folderId: true }), z.array(s.treeNode)),
    /** A page of the grid. `total` is the size of the whole answer. */
    items: procedure(
      s.itemQuery.extend({ offset: s.count.default(0), limit: z.number().int().min(1).max(500).default(200) }),
      z.object({ total: s.count, items: z.array(s.item) }),
    ),
    item: procedure(z.object({ id: s.id }), s.itemDetail),
    facets: procedure(s.itemFilter.prefault({}), s.facets),
    /** A page of the files that failed. `total` is the size of the whole answer, `codes` counts the folder's by code, whatever `code` asks for. */
    problems: procedure(
      s.problemQuery.extend({ offset: s.count.default(0), limit: z.number().int().min(1).max(500).default(200) }),
      z.object({ total: s.count, codes: z.array(z.object({ code: z.enum(ERROR_CODES), count: s.count })), problems: z.array(s.problem) }),
    ),
    /** Reads failed files again although they have not changed: these, or all that are shown. The job is null when there are none. */
    retry: procedure(
      z.object({ fileIds: z.array(s.id).max(10_000).optional() }).default({}),
      z.object({ count: s.count, jobId: s.id.nullable() }),
    ),
    /** Lists failed files no more, until they change. */
    ignore: procedure(z.object({ fileIds: z.array(s.id).min(1).max(10_000) }), z.object({ count: s.count, undoId: s.id.nullable() })),
    /** Deletes the rows of files that are gone for good. Those of a folder that is offline are kept unless it is named. */
    forgetMissing: procedure(z.object({ folderId: s.id.optional() }).default({}), z.object({ count: s.count, undoId: s.id.nullable() })),
    /** What can be put back, newest first. */
    undoable: procedure(nothing, z.array(s.undoable)),
    /** Puts back what was taken out. Errors: ITEM_NOT_FOUND when it was put back or deleted meanwhile. */
    undo: procedure(z.object({ id: s.id }), done),
    settings: procedure(nothing, s.librarySettings),
    /** Changes settings, for now and for later starts. */
    configure: procedure(s.librarySettings.partial(), s.librarySettings),
    /** What an exported library holds. Errors: FILE_NOT_FOUND, FORMAT_UNKNOWN, LIBRARY_CORRUPT, LIBRARY_FROM_FUTURE. */
    inspectFile: procedure(z.object({ path: s.filePath }), s.libraryFile),
    status: procedure(nothing, s.libraryStatus),
    /** Apart from `status`, which is asked for twice a second while indexing: this one reads more. */
    storage: procedure(nothing, s.libraryStorage),
  },
  search: {
    /** A dropped, pasted or chosen picture, as bytes (at most 64 MiB). */
    upload: procedure(z.object({ name: z.string().max(255), bytes: z.instanceof(Uint8Array) }), s.query),
    /** The same from a path that came through a dialog, a drop or the picker. */
    open: procedure(z.object({ path: s.filePath }), s.query),
    find: procedure(
      s.itemFilter.extend({
        source: s.source,
        region: s.region.optional(),
        k: z.number().int().min(1).max(500).default(60),
      }),
      s.searchResponse,
    ),
    /** What the index sees of a picture of the library. Errors: ITEM_NOT_FOUND, also while it has no descriptor; MODEL_NOT_FOUND. */
    reconstruction: procedure(z.object({ id: s.id }), s.reconstruction),
  },
  denoise: {
    /** Decodes a picture, estimates its noise and keeps it until closed (the last two sessions are kept). */
    open: procedure(z.object({ source: s.source }), s.denoiseSession),
    close: procedure(z.object({ sessionId: z.string() }), done),
    /** How much structure the session's finished preview has removed with the noise. Errors: SESSION_NOT_FOUND, JOB_STATE while no preview is finished. */
    structure: procedure(z.object({ sessionId: z.string() }), s.structureLoss),
  },
  inference: {
    state: procedure(nothing, s.inferenceState),
    /** Chooses device and threads, for now and for later starts. Errors: NOT_SUPPORTED_HERE for a device that is not among `devices`. */
    configure: procedure(s.inferenceSettings.partial(), s.inferenceState),
  },
  jobs: {
    start: procedure(s.jobSpec, z.object({ jobId: s.id })),
    list: procedure(nothing, z.array(s.job)),
    pause: procedure(z.object({ jobId: s.id }), done),
    resume: procedure(z.object({ jobId: s.id }), done),
    /** Keeps what is done. */
    cancel: procedure(z.object({ jobId: s.id }), done),
    /** Takes finished jobs off the list. */
    dismiss: procedure(z.object({ jobId: s.id.optional() }), done),
    report: procedure(z.object({ jobId: s.id }), s.jobReport),
    /** A page of a denoising job's pictures, in the order they were finished; also while it runs. */
    results: procedure(
      z.object({ jobId: s.id, offset: s.count.default(0), limit: z.number().int().min(1).max(1000).default(200) }),
      z.object({ total: s.count, results: z.array(s.denoiseResult) }),
    ),
  },
  picker: {
    /** Lists a folder for the server-side picker; without a path, the home folder. `files` says which are listed: pictures, or exported libraries (*.lucidex). Only where there is no native dialog. */
    list: procedure(
      z.object({ path: s.filePath.optional(), files: z.enum(['pictures', 'libraries']).default('pictures') }),
      s.pickerListing,
    ),
  },
} as const

type Procedures = typeof procedures
export type GroupName = keyof Procedures

/** What a client sees: `engine.library.items({…})` returns a promise and throws a LucidexError. */
export type EngineApi = {
  [G in GroupName]: {
    [P in keyof Procedures[G]]: Procedures[G][P] extends { input: infer I extends z.ZodType; output: infer O extends z.ZodType }
      ? undefined extends z.input<I>
        ? (argument?: z.input<I>) => Promise<z.output<O>>
        : (argument: z.input<I>) => Promise<z.output<O>>
      : never
  }
}

/** The typed face of calls by name: `api.library.items({…})` becomes `call('library.items', {…})`. */
export function createApi(call: (name: string, argument: unknown) => Promise<unknown>): EngineApi {
  const api: Record<string, Record<string, unknown>> = {}
  for (const group of Object.keys(procedures) as GroupName[]) {
    const members: Record<string, unknown> = {}
    for (const verb of Object.keys(procedures[group])) members[verb] = (argument: unknown = {}) => call(`${group}.${verb}`, argument)
    api[group] = members
  }
  return api as unknown as EngineApi
}

/** What the engine implements: arguments already parsed, defaults filled in. */
export type EngineHandlers = {
  [G in GroupName]: {
    -readonly [P in keyof Procedures[G]]: Procedures[G][P] extends { input: infer I extends z.ZodType; output: infer O extends z.ZodType }
      ? (argument: z.output<I>) => z.input<O> | Promise<z.input<O>>
      : never
  }
}

/** The procedure of a wire name such as `library.items`, by own properties only. */
export function findProcedure(name: string): { input: z.ZodType; output: z.ZodType } | undefined {
  const [group = '', verb = '', ...rest] = name.split('.')
  if (rest.length > 0 || !Object.hasOwn(procedures, group)) return undefined
  const members = procedures[group as GroupName] as Record<string, { input: z.ZodType; output: z.ZodType }>
  return Object.hasOwn(members, verb) ? members[verb] : undefined
}
