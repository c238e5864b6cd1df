#!/usr/bin/env node
/**
 * The command. A Node that is too old must get a sentence instead of a syntax error, so this file is plain JavaScript that Node 8 can
 * parse, and loads nothing of Grapevine before the version is known to do. The source tree needs a Node that runs TypeScript by itself;
 * the built package does not. Exits 2 where Node is too old, else with the number that `main(arguments, takeOver)` resolves to, or 0 on
 * Ctrl-C while a daemon is being loaded: there is nothing to put away yet. `takeOver` is called when the daemon sees to signals itself.
 */
const fromSource = /[\\/]src[\\/]cli$/.test(__dirname)

/** Lowest [major, minor] of each line of Node that will do; lines newer than the last one will do as well. */
const needed = fromSource
  ? [
      [22, 18],
      [23, 6],
      [24, 0],
    ]
  : [[22, 0]]

function newEnough(version) {
  const found = version.split('.').map(Number)
  const line = needed.find((lowest) => lowest[0] === found[0])
  return line ? found[1] >= line[1] : found[0] > needed[needed.length - 1][0]
}

/** Node 23.6 to 24.2 warn that they strip types; every other warning passes. */
function hideTypeStrippingWarning() {
  const emitWarning = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    if (!String(warning).startsWith('Type Stripping is an experimental feature')) emitWarning.call(process, warning, ...rest)
  }
}

function leaveOnSignals() {
  const signals = ['SIGINT', 'SIGTERM']
  const leave = () => process.exit(0)
  for (const signal of signals) process.on(signal, leave)
  return () => {
    for (const signal of signals) process.removeListener(signal, leave)
  }
}

function run() {
  const commandLine = process.argv.slice(2)
  const takeOver = commandLine[0] === 'start' || commandLine[0] === 'join' ? leaveOnSignals() : () => {}
  if (fromSource) {
    hideTypeStrippingWarning()
    require('../node/strip-cache.cjs')
  }
  // Node 8 takes `import()` for a syntax error, so it is parsed only here.
  const load = new Function('specifier', 'return import(specifier)')
  const { pathToFileURL } = require('node:url')
  const { join } = require('node:path')
  return load(pathToFileURL(join(__dirname, fromSource ? 'main.ts' : 'main.js')).href).then((cli) => cli.main(commandLine, takeOver))
}

if (newEnough(process.versions.node)) {
  run().then(
    (code) => {
      process.exitCode = code
    },
    (error) => {
      process.stderr.write(`grapevine failed: ${error instanceof Error ? error.stack : error}\n`)
      process.exitCode = 1
    },
  )
} else {
  const wayOut = fromSource
    ? 'start it through npm (npm start, or npm run grapevine -- COMMAND), which uses the Node that npm ci put in node_modules'
    : 'install a newer Node from https://nodejs.org'
  process.stderr.write(
    `grapevine needs Node ${needed[0].join('.')} or newer and was started by Node ${process.versions.node}: ${wayOut}.\n`,
  )
  process.exitCode = 2
}
