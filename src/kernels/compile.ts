/**
 * Compiles kernels with V8's optimising compiler at once, instead of when they have run long enough: the first call is as fast as the last, and what
 * is measured right after loading is what will run. Two hundredths of a second for all of them.
 *
 * With `wide`, V8 also turns neighbouring 128-bit operations into 256-bit ones (on x86 with AVX2, from Node 22 on; elsewhere nothing happens).
 * That pass of V8 is experimental, so the flag is up only while this one module is compiled, and whoever uses such a module first
 * compares its results with those of an ordinary one (engines/wasm-builds.ts).
 */
import { setFlagsFromString } from 'node:v8'

/** Oldest V8 on which the flags below were tried: Node 22's. An older one may not know them and would complain on stderr. */
const OLDEST_V8 = 12

const EAGER = ['--no-liftoff', '--no-wasm-lazy-compilation']
const WIDE = '--experimental-wasm-revectorize'

export function compileEagerly(bytes: Uint8Array<ArrayBuffer>, wide: boolean): WebAssembly.Module {
  if (Number.parseInt(process.versions.v8, 10) < OLDEST_V8) return new WebAssembly.Module(bytes)
  const flags = wide ? [...EAGER, WIDE] : EAGER
  for (const flag of flags) setFlagsFromString(flag)
  try {
    return new WebAssembly.Module(bytes)
  } finally {
    for (const flag of flags) setFlagsFromString(opposite(flag))
  }
}

function opposite(flag: string): string {
  return flag.startsWith('--no-') ? `--${flag.slice('--no-'.length)}` : `--no-${flag.slice('--'.length)}`
}
