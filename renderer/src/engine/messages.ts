import { LucidexError, type ErrorCode, type ErrorData } from '$contract'

/** What each error means to a person, without the name of the file. */
const SENTENCES: Record<ErrorCode, string> = {
  FILE_NOT_FOUND: 'The file is not there any more.',
  FILE_NOT_READABLE: 'The file may not be read. Check its permissions.',
  FILE_EMPTY: 'The file is empty.',
  FILE_TOO_LARGE: 'The file is too large.',
  FILE_EXISTS: 'A file with this name is there already.',
  FILE_NOT_WRITABLE: 'The file could not be written. Check the permissions of its folder.',
  NAME_NOT_UTF8: 'The name of the file is not valid text. Rename it to have it indexed.',
  FORMAT_UNKNOWN: 'This is not a picture, whatever its name says.',
  FORMAT_UNSUPPORTED: 'This picture format is not supported.',
  PICTURE_CORRUPT: 'The picture is damaged.',
  PICTURE_TRUNCATED: 'The picture breaks off before its end.',
  PICTURE_TOO_LARGE: 'The picture has too many pixels.',
  DECODER_CRASHED: 'Reading the picture crashed the decoder. It is not tried again until the file changes.',
  DECODE_TIMEOUT: 'Reading the picture took too long. It is not tried again until the file changes.',
  BIT_DEPTH_UNSUPPORTED: 'This bit depth is not supported by the format.',
  DISK_FULL: 'The disk is full.',
  FOLDER_NOT_FOUND: 'The folder is not there any more.',
  FOLDER_OFFLINE: 'The drive of this folder is not connected.',
  FOLDER_NOT_READABLE: 'The folder may not be read. Check its permissions.',
  FOLDER_OVERLAPS: 'The folder overlaps one that is in the library.',
  LIBRARY_IN_USE: 'Another Lucidex is using this library, so it can only be read here.',
  LIBRARY_FROM_FUTURE: 'This library was made by a newer Lucidex.',
  LIBRARY_CORRUPT: 'The library is damaged.',
  ITEM_NOT_FOUND: 'This picture is not in the library any more.',
  QUERY_NOT_FOUND: 'The picture to search by is not held any more. Give it again.',
  SESSION_NOT_FOUND: 'The picture is not open any more. Open it again.',
  MODEL_NOT_FOUND: 'The model is missing from this installation.',
  MODEL_CHECKSUM: 'The model file was changed or damaged. Install Lucidex again.',
  MODEL_INVALID: 'The model file could not be used.',
  INFERENCE_FAILED: 'The model failed on this picture.',
  JOB_NOT_FOUND: 'This job is gone.',
  JOB_STATE: 'The job cannot do this now.',
  CANCELLED: 'Cancelled.',
  BAD_REQUEST: 'The request was not understood.',
  UNKNOWN_PROCEDURE: 'The engine is of another version.',
  NOT_SUPPORTED_HERE: 'This is not possible here.',
  DISCONNECTED: 'The engine is not running.',
  INTERNAL: 'Something went wrong.',
}

/** Codes whose own message says more than the sentence can. */
const SPEAKING = new Set<ErrorCode>(['INTERNAL', 'BAD_REQUEST', 'NOT_SUPPORTED_HERE', 'FORMAT_UNSUPPORTED', 'JOB_STATE'])

/** One sentence for an error of the engine. */
export function sentence(error: Pick<ErrorData, 'code' | 'message'>): string {
  return SPEAKING.has(error.code) && error.message ? error.message : SENTENCES[error.code]
}

/** One sentence for anything thrown. */
export function explain(thrown: unknown): string {
  if (thrown instanceof LucidexError) return sentence(thrown)
  return thrown instanceof Error ? thrown.message : String(thrown)
}
