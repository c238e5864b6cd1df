/**
 * Where worker entry files lie: beside this file and with its extension, `.ts` in the source tree and `.js` in the published package.
 */
export function workerUrl(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'
  return new URL(`./${name}${extension}`, import.meta.url)
}
