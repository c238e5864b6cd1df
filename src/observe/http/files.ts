/**
 * The files of the page, read once when the server starts: its own, and the plots' from the installed package. Nothing else is ever served.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface PageFile {
  readonly type: string
  readonly bytes: Buffer
}

const OWN = [
  'index.html',
  'style.css',
  'main.js',
  'connection.js',
  'curves.js',
  'swarm.js',
  'policy.js',
  'events.js',
  'format.js',
  'icon.svg',
]
const PLOTS = { 'uplot.js': 'uplot/dist/uPlot.esm.js', 'uplot.css': 'uplot/dist/uPlot.min.css' }
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** By path: `/` is the page itself. */
export async function readPage(): Promise<ReadonlyMap<string, PageFile>> {
  const own = OWN.map((name): [string, URL] => [name, new URL(`../page/${name}`, import.meta.url)])
  const plots = Object.entries(PLOTS).map(([name, specifier]): [string, URL] => [name, new URL(import.meta.resolve(specifier))])
  const files = await Promise.all(
    [...own, ...plots].map(async ([name, url]): Promise<[string, PageFile]> => {
      const type = TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
      return [name === 'index.html' ? '/' : `/${name}`, { type, bytes: await readFile(fileURLToPath(url)) }]
    }),
  )
  return new Map(files)
}
