/**
 * The categorical head by the kernels: drop-in for the functions of the same names in src/learn/distributions.ts, which are the plain form they are
 * tested against, to 1e-6. The deterministic build: the same bits on every machine. Four times as fast from some dozens of rows on, no slower for a few.
 */
import { GrapevineError } from '../util/errors.ts'
import { type KernelExports, loadKernels } from './load.ts'
import { createMemory, Heap } from './memory.ts'

/** Rows that pass through the memory at a time. */
const ROWS = 512

interface Room {
  readonly classes: number
  readonly categorical: (rows: number) => void
  readonly gradient: (rows: number) => void
  readonly logits: Float32Array
  readonly logPolicy: Float32Array
  readonly dLogits: Float32Array
  readonly actions: Int32Array
  readonly logProbs: Float32Array
  readonly entropies: Float32Array
  readonly dLogProbs: Float32Array
  readonly dEntropy: Float32Array
}

interface Machine {
  readonly exports: KernelExports
  readonly heap: Heap
}

/** One memory for all rooms of the thread, made at first use; null where the machine runs no kernels. */
let machine: Machine | null | undefined

function start(): Machine | null {
  const memory = createMemory()
  const kernels = loadKernels(memory, 'deterministic')
  return kernels === null ? null : { exports: kernels.exports, heap: new Heap(memory) }
}

/** Whether this machine runs the kernels; where not, the plain functions must do. */
export function hasCategoricalKernels(): boolean {
  if (machine === undefined) machine = start()
  return machine !== null
}

/** By number of classes; a network has one or two such heads. */
const rooms = new Map<number, Room>()

function roomFor(classes: number): Room {
  const known = rooms.get(classes)
  if (known !== undefined) return known
  if (!hasCategoricalKernels()) {
    throw new GrapevineError('no_simd', 'local', 'This machine runs no WebAssembly SIMD; use Node 22 or newer on a 64-bit processor.')
  }
  const { exports, heap } = machine!
  const floats = (length: number) => heap.floats(heap.allocate(length * 4), length)
  const [logits, logPolicy, dLogits] = [floats(ROWS * classes), floats(ROWS * classes), floats(ROWS * classes)]
  const [logProbs, entropies, dLogProbs, dEntropy] = [floats(ROWS), floats(ROWS), floats(ROWS), floats(1)]
  const place = heap.allocate(ROWS * 4)
  const actions = new Int32Array(heap.memory.buffer, place, ROWS)
  const at = (array: Float32Array | Int32Array) => array.byteOffset
  const room: Room = {
    ...{ classes, logits, logPolicy, dLogits, actions, logProbs, entropies, dLogProbs, dEntropy },
    categorical: (rows) => exports.categorical(at(logits), classes, at(actions), at(logPolicy), at(logProbs), at(entropies), rows),
    gradient: (rows) =>
      exports.categoricalGradient(at(logPolicy), classes, at(actions), at(entropies), at(dLogProbs), at(dEntropy), at(dLogits), rows),
  }
  rooms.set(classes, room)
  return room
}

/** See `categoricalLogProbs` of src/learn/distributions.ts. */
export function categoricalLogProbs(
  logits: Float32Array,
  classes: number,
  actions: Int32Array,
  logPolicy: Float32Array,
  logProbs: Float32Array,
  entropies: Float32Array,
): void {
  const n = logProbs.length
  checkLengths([logits, n * classes], [actions, n], [logPolicy, n * classes], [entropies, n])
  const room = roomFor(classes)
  for (let row = 0; row < n; row += ROWS) {
    const end = Math.min(row + ROWS, n)
    const rows = end - row
    room.logits.set(logits.subarray(row * classes, end * classes))
    room.actions.set(actions.subarray(row, end))
    room.categorical(rows)
    logPolicy.set(room.logPolicy.subarray(0, rows * classes), row * classes)
    logProbs.set(room.logProbs.subarray(0, rows), row)
    entropies.set(room.entropies.subarray(0, rows), row)
  }
}

/** See `categoricalGradient` of src/learn/distributions.ts. */
export function categoricalGradient(
  logPolicy: Float32Array,
  classes: number,
  actions: Int32Array,
  entropies: Float32Array,
  dLogProbs: Float32Array,
  dEntropy: number,
  dLogits: Float32Array,
): void {
  const n = dLogProbs.length
  checkLengths([logPolicy, n * classes], [actions, n], [entropies, n], [dLogits, n * classes])
  const room = roomFor(classes)
  room.dEntropy[0] = dEntropy
  for (let row = 0; row < n; row += ROWS) {
    const end = Math.min(row + ROWS, n)
    const rows = end - row
    room.logPolicy.set(logPolicy.subarray(row * classes, end * classes))
    room.actions.set(actions.subarray(row, end))
    room.entropies.set(entropies.subarray(row, end))
    room.dLogProbs.set(dLogProbs.subarray(row, end))
    room.gradient(rows)
    dLogits.set(room.dLogits.subarray(0, rows * classes), row * classes)
  }
}

function checkLengths(...pairs: readonly (readonly [{ readonly length: number }, number])[]): void {
  for (const [array, length] of pairs) {
    if (array.length === length) continue
    throw new GrapevineError('shape', 'local', `An array of ${array.length} elements was given where ${length} are needed.`, {
      length: array.length,
      needed: length,
    })
  }
}
