import type { ItemFilter, Region, SearchResponse, Source } from '../contract/index.ts'
import type { PictureDecoder } from '../decoder/types.ts'
import { readForSearch } from '../images/index.ts'
import type { SeenQuery } from '../images/queryViews.ts'
import type { Inference } from '../inference/types.ts'
import type { Library } from '../library/types.ts'
import type { Look } from './find.ts'

export interface SearchRequest extends ItemFilter {
  source: Source
  /** A part of the picture to search by. */
  region?: Region
  k: number
}

interface Sources {
  library: Pick<Library, 'descriptorOf' | 'thumbnail' | 'search'>
  inference: Pick<Inference, 'encode'>
  decoder: Pick<PictureDecoder, 'readForSearch'>
  /** The file that a source names. */
  locate: (source: Source) => { path: string }
}

/**
 * Searches by a picture. One of the library is looked at through its descriptor and its thumbnail: its file
 * need not be there. Errors: those of locating, reading and encoding the picture.
 */
export async function findByPicture(
  { source, region, k, ...filter }: SearchRequest,
  { library, inference, decoder, locate }: Sources,
): Promise<SearchResponse> {
  if (source.kind === 'item' && !region) {
    const descriptor = library.descriptorOf(source.id)
    const thumbnail = library.thumbnail(source.id)
    if (descriptor && thumbnail) {
      const { views } = await readForSearch(thumbnail)
      const [whole, ...others] = views
      const looks = [{ descriptor, handicap: 0, miniature: whole!.miniature }, ...(await looksOf(others, inference))]
      return library.search(looks, { k, filter, exclude: source.id })
    }
  }
  const { views, contentHash } = await decoder.readForSearch(locate(source).path, region)
  const exclude = source.kind === 'item' ? source.id : undefined
  return library.search(await looksOf(views, inference), { k, filter, exclude, contentHash: region ? undefined : contentHash })
}

/** The views as what is searched by, encoded in one batch. */
export async function looksOf(views: readonly SeenQuery[], { encode }: Pick<Inference, 'encode'>): Promise<Look[]> {
  const descriptors = await encode(views.map(({ input }) => input))
  return views.map(({ view, miniature }, index) => ({ descriptor: descriptors[index]!, handicap: view.handicap, miniature }))
}
