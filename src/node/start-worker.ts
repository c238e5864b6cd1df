/**
 * Threads. Their entry files lie beside this one and have its extension: `.js` in the published package, and `.ts` in the source tree, where
 * they are loaded through the cache of stripped sources.
 */
import { Worker, type WorkerOptions } from 'node:worker_threads'

export function startWorker(entry: string, options: WorkerOptions): Worker {
  const beside = (file: string) => new URL(`./${file}`, import.meta.url)
  if (import.meta.url.endsWith('.js')) return new Worker(beside(`${entry}.js`), options)
  return new Worker(beside('source-worker.cjs'), { ...options, argv: [beside(`${entry}.ts`).href] })
}
