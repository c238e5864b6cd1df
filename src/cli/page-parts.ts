/** Reads what a page that stands alone is made of: the files of its kind, those of all such pages, and the plotting library's. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { PageParts } from '../observe/self-contained.ts'

/** `kind`: the folder of `observe` with its style and script. */
export async function pageParts(kind: 'simulation-page' | 'report-page'): Promise<PageParts> {
  const text = (url: string | URL) => readFile(fileURLToPath(url), 'utf8')
  const [style, script, ownStyle, ownScript, plotScript, plotStyle] = await Promise.all([
    text(new URL('../observe/self-contained/page.css', import.meta.url)),
    text(new URL('../observe/self-contained/plots.js', import.meta.url)),
    text(new URL(`../observe/${kind}/page.css`, import.meta.url)),
    text(new URL(`../observe/${kind}/page.js`, import.meta.url)),
    text(import.meta.resolve('uplot/dist/uPlot.iife.min.js')),
    text(import.meta.resolve('uplot/dist/uPlot.min.css')),
  ])
  return { style, script, ownStyle, ownScript, plotScript, plotStyle }
}
