/** Whether what a file says of a policy has the form of PolicyFacts where acting depends on it: the file may be anybody's. */

/** Values of one observation, and of one action: what a network may take at most (learn/limits.ts) is less. */
const MAX_VALUES = 16 * 1_048_576

/** The name of the first field that is malformed; null: none. Networks are judged where they are laid out. */
export function malformedField(facts: unknown): string | null {
  if (!isObject(facts)) return 'policy'
  const { network, observationShape, observe, action } = facts
  if (!isObject(network)) return 'network'
  if (!isListOf(observationShape, isSize) || observationShape.reduce((total, size) => total * size, 1) > MAX_VALUES)
    return 'observationShape'
  if (!isListOf(observe, isObservationStage)) return 'observe'
  if (!isObject(action)) return 'action'
  if (action.kind === 'discrete') return isSize(action.n) ? null : 'action'
  const { kind, size, stages } = action
  return kind === 'box' && isSize(size) && isListOf(stages, (stage) => isActionStage(stage, size)) ? null : 'action'
}

function isObservationStage(stage: unknown): stage is object {
  if (!isObject(stage)) return false
  if (stage.kind === 'stack') return isSize(stage.frames) && isSize(stage.depth)
  const { kind, clip, epsilon, mean, variance } = stage
  const positive = (value: unknown) => isNumber(value) && value >= 0
  return kind === 'normalise' && positive(clip) && positive(epsilon) && isListOf(mean, isNumber) && isListOf(variance, positive)
}

function isActionStage(stage: unknown, size: number): stage is object {
  if (!isObject(stage)) return false
  const { kind, low, high, from } = stage
  const isBound = kind === 'clip' ? (value: unknown) => value === null || isNumber(value) : isNumber
  if (![low, high].every((bounds) => isListOf(bounds, isBound) && bounds.length === size)) return false
  return kind === 'clip' || (kind === 'rescale' && isListOf(from, isNumber) && from.length === 2 && from[0] !== from[1])
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isListOf<T>(value: unknown, is: (each: unknown) => each is T): value is readonly T[]
function isListOf(value: unknown, is: (each: unknown) => boolean): value is readonly unknown[]
function isListOf(value: unknown, is: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is)
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= MAX_VALUES
}
