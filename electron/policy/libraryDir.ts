import path from 'node:path'

/**
 * The folder of the library, absolute: `--library <dir>` or `--library=<dir>` on the command line, else
 * LUCIDEX_LIBRARY, else `library` in the platform's place for data: the same one that the command line uses.
 */
export function libraryDir(from: { argv: readonly string[]; env: NodeJS.ProcessEnv; cwd: string; data: string }): string {
  const { argv, env, cwd, data } = from
  const at = argv.findIndex((argument) => argument === '--library' || argument.startsWith('--library='))
  const option = argv[at] === '--library' ? argv[at + 1] : argv[at]?.slice('--library='.length)
  return path.resolve(cwd, option || env['LUCIDEX_LIBRARY'] || path.join(data, 'library'))
}
