/**
 * Only for the source tree, whose TypeScript Node strips of types anew in every process and thread, which takes a third of its start: loads
 * modules of this tree without types, as they were stripped when they were loaded first. What was stripped lies in node_modules/.cache/grapevine
 * under the SHA-256 of the source and of Node's version; where that cannot be written, nothing is kept. Plain JavaScript, because it comes first.
 */
'use strict'

const { createHash } = require('node:crypto')
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const { registerHooks, stripTypeScriptTypes } = require('node:module')
const { join } = require('node:path')
const { fileURLToPath, pathToFileURL } = require('node:url')
const { threadId } = require('node:worker_threads')

const root = join(__dirname, '..', '..')
const rootUrl = pathToFileURL(root).href
const ours = ['src', 'scripts', 'test'].map((folder) => `${rootUrl}/${folder}/`)
const cache = join(root, 'node_modules', '.cache', 'grapevine')

/** Stripping leaves every line and column where it was, so that what is kept is as long as its source. */
function withoutTypes(source) {
  const key = createHash('sha256').update(`${process.version}\n${source}`).digest('hex')
  const path = join(cache, `${key}.js`)
  try {
    const kept = readFileSync(path, 'utf8')
    if (kept.length === source.length) return kept
  } catch {
    // Nobody has loaded it yet.
  }
  const stripped = quietly(() => stripTypeScriptTypes(source))
  try {
    const made = join(cache, `${key}.${process.pid}.${threadId}`)
    mkdirSync(cache, { recursive: true })
    writeFileSync(made, stripped)
    renameSync(made, path)
  } catch {
    // A full disk, or a tree of somebody else: the next process strips again.
  }
  return stripped
}

/** Node warns that stripping by call is experimental. */
function quietly(work) {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return work()
  } finally {
    process.emitWarning = emitWarning
  }
}

const isOurs = (url) => url.endsWith('.ts') && ours.some((folder) => url.startsWith(folder))

registerHooks({
  /** A relative path names its file outright: no disk need be asked where it leads. */
  resolve(specifier, context, nextResolve) {
    if (specifier.startsWith('.') && context.parentURL !== undefined && isOurs(context.parentURL)) {
      const { href } = new URL(specifier, context.parentURL)
      if (isOurs(href)) return { url: href, format: 'module', shortCircuit: true }
    }
    return nextResolve(specifier, context)
  },
  load(url, context, nextLoad) {
    if (!isOurs(url)) return nextLoad(url, context)
    return { format: 'module', source: withoutTypes(readFileSync(fileURLToPath(url), 'utf8')), shortCircuit: true }
  },
})
