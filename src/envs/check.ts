/**
 * Does an environment keep the contract? Plays it with random actions and says in words what is wrong: what `grapevine envs --check` prints.
 * Pure: the same factory gives the same answer.
 */
import { messageOf } from '../util/errors.ts'
import { seededRandom } from '../util/random.ts'
import { CHECK_PROBLEMS_MAX, CHECK_STEPS } from './limits.ts'
import { sampleAction, sizeOf, whyOutside } from './spaces.ts'
import type { BoxSpace, Environment, Space, StepResult } from './types.ts'

const SEED = 7

/** One sentence for each thing that is wrong with what `factory` makes; empty when nothing is. Never throws. */
export function checkEnvironment(factory: () => Environment): string[] {
  const problems = new Problems()
  const environment = problems.attempt('The factory', factory)
  if (environment === undefined) return problems.found
  if (!checkShape(environment, problems)) return problems.found
  const first = play(environment, problems)
  if (problems.found.length === 0) checkSeeding(factory, environment, first, problems)
  if (problems.found.length === 0) checkSaving(factory, environment, problems)
  if (environment.render !== undefined) checkPicture(environment, problems)
  problems.attempt('close()', () => environment.close())
  return problems.found
}

/** Collects sentences, each once. */
class Problems {
  readonly found: string[] = []

  add(sentence: string): void {
    if (this.found.length < CHECK_PROBLEMS_MAX && !this.found.includes(sentence)) this.found.push(sentence)
  }

  /** What `run` returns, or undefined after noting what it threw. */
  attempt<T>(what: string, run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      this.add(`${what} threw "${messageOf(error)}".`)
      return undefined
    }
  }
}

/** Methods and spaces; false when nothing more can be tried. */
function checkShape(environment: Environment, problems: Problems): boolean {
  if (typeof environment !== 'object' || environment === null) {
    problems.add('The factory must return an environment, but it returned something else.')
    return false
  }
  for (const method of ['reset', 'step', 'close'] as const) {
    if (typeof environment[method] !== 'function') problems.add(`The environment has no method ${method}().`)
  }
  const { observationSpace, actionSpace } = environment as { observationSpace?: unknown; actionSpace?: unknown }
  if (isSpace(observationSpace) && observationSpace.kind === 'box') checkBox('observationSpace', observationSpace, problems)
  else problems.add("observationSpace must be a box: { kind: 'box', shape, low, high }.")
  if (!isSpace(actionSpace)) problems.add("actionSpace must be { kind: 'discrete', n } or { kind: 'box', shape, low, high }.")
  else if (actionSpace.kind === 'box') checkBox('actionSpace', actionSpace, problems)
  else if (!Number.isInteger(actionSpace.n) || actionSpace.n < 1)
    problems.add(`actionSpace.n must be an integer of at least 1, but it is ${actionSpace.n}.`)
  if ((environment.saveState === undefined) !== (environment.restoreState === undefined))
    problems.add('saveState() and restoreState() belong together: offer both or neither.')
  return problems.found.length === 0
}

function isSpace(value: unknown): value is Space {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  if (value.kind === 'discrete') return 'n' in value && typeof value.n === 'number'
  return value.kind === 'box' && 'shape' in value && Array.isArray(value.shape) && 'low' in value && 'high' in value
}

function checkBox(name: string, space: BoxSpace, problems: Problems): void {
  if (space.shape.length === 0 || !space.shape.every((length) => Number.isInteger(length) && length >= 1)) {
    problems.add(`${name}.shape must be a list of integers of at least 1, but it is [${space.shape.join(', ')}].`)
    return
  }
  const size = sizeOf(space)
  for (const bound of ['low', 'high'] as const) {
    const values = space[bound]
    if (!(values instanceof Float32Array) || values.length !== size)
      problems.add(`${name}.${bound} must be a Float32Array of ${size} numbers.`)
  }
  if (problems.found.length > 0) return
  const wrong = space.low.findIndex((low, i) => !(low <= space.high[i]!))
  if (wrong >= 0) problems.add(`${name} has no values at element ${wrong}: low is ${space.low[wrong]}, high is ${space.high[wrong]}.`)
}

/** A few hundred random steps over as many episodes as fit; returns what was seen, for comparison. */
function play(environment: Environment, problems: Problems): number[] {
  const random = seededRandom(SEED, 'check')
  const seen: number[] = []
  let last: Float32Array | undefined
  const begin = (seed?: number): boolean => {
    const begun = problems.attempt('reset()', () => environment.reset(seed === undefined ? {} : { seed }))
    if (begun === undefined) return false
    if (typeof begun.info !== 'object' || begun.info === null)
      problems.add('reset() must return { observation, info } with an object as info.')
    last = checkObservation('reset()', environment.observationSpace, begun.observation, last, problems)
    if (last !== undefined) seen.push(...last)
    return last !== undefined
  }
  if (!begin(SEED)) return seen
  for (let i = 0; i < CHECK_STEPS; i++) {
    const action = sampleAction(environment.actionSpace, random)
    const before = typeof action === 'number' ? action : action.slice()
    const result = problems.attempt('step()', () => environment.step(action))
    if (result === undefined) return seen
    if (typeof action !== 'number' && action.some((value, k) => value !== (before as Float32Array)[k]))
      problems.add('step() changed the array of the action; copy it first.')
    checkResult(result, problems)
    last = checkObservation('step()', environment.observationSpace, result.observation, last, problems)
    if (last === undefined) return seen
    seen.push(...last, result.reward)
    if ((result.terminated || result.truncated) && !begin()) return seen
  }
  return seen
}

function checkObservation(
  where: string,
  space: BoxSpace,
  observation: unknown,
  last: Float32Array | undefined,
  problems: Problems,
): Float32Array | undefined {
  if (!(observation instanceof Float32Array)) {
    problems.add(`${where} must return its observation as a Float32Array.`)
    return undefined
  }
  const why = whyOutside(space, observation)
  if (why !== null) problems.add(`${where} returned an observation outside observationSpace: ${why}.`)
  if (observation === last) problems.add(`${where} returned the very array that it returned before; return a new one each time.`)
  return observation
}

function checkResult({ reward, terminated, truncated, info }: StepResult, problems: Problems): void {
  if (!Number.isFinite(reward)) problems.add(`step() returned the reward ${String(reward)}, not a finite number.`)
  for (const [name, flag] of Object.entries({ terminated, truncated })) {
    if (typeof flag !== 'boolean') problems.add(`step() must return ${name} as true or false, but it is ${String(flag)}.`)
  }
  if (typeof info !== 'object' || info === null) problems.add('step() must return an object as info.')
}

/** Two environments of one seed, and one that is seeded again, must show the same. */
function checkSeeding(factory: () => Environment, environment: Environment, first: readonly number[], problems: Problems): void {
  if (!same(first, play(environment, problems)))
    problems.add('After reset({ seed }) with the same seed the episodes differ; keep all chance in a stream that reset seeds.')
  const other = problems.attempt('The factory, called again,', factory)
  if (other === undefined) return
  if (!same(first, play(other, problems)))
    problems.add('Two environments with the same seed differ; share no state between them and use no Math.random.')
  problems.attempt('close()', () => other.close())
}

function checkSaving(factory: () => Environment, environment: Environment, problems: Problems): void {
  if (environment.saveState === undefined) return
  const other = problems.attempt('The factory, called again,', factory)
  if (other === undefined) return
  problems.attempt('saveState() or restoreState()', () => {
    environment.reset({ seed: SEED })
    other.reset({ seed: SEED + 1 })
    const random = seededRandom(SEED, 'save')
    if (over(environment.step(sampleAction(environment.actionSpace, random)))) return
    other.restoreState!(environment.saveState!())
    for (let i = 0; i < CHECK_STEPS; i++) {
      const action = sampleAction(environment.actionSpace, random)
      const one = environment.step(action)
      const two = other.step(action)
      if (!same(one.observation, two.observation) || one.reward !== two.reward) {
        problems.add('After restoreState() the environment does not go on as the saved one does; save everything that matters.')
        return
      }
      if (over(one)) return
    }
  })
  problems.attempt('close()', () => other.close())
}

function checkPicture(environment: Environment, problems: Problems): void {
  const picture = problems.attempt('render()', () => environment.render!())
  if (picture === undefined) return
  if (!(picture.left < picture.right && picture.bottom < picture.top && Array.isArray(picture.shapes)))
    problems.add('render() must return a picture: { left, right, bottom, top, background, shapes } with left < right and bottom < top.')
}

function over({ terminated, truncated }: StepResult): boolean {
  return terminated || truncated
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.prototype.every.call(a, (value: number, i: number) => Object.is(value, b[i]))
}
