import { buildIfStale } from '../../scripts/build.mjs'

/** End-to-end tests open the built window: it is built once, before all of them, if it is stale. */
export default function setup(): void {
  buildIfStale('renderer')
}
