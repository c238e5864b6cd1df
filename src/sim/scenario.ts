/**
 * A scenario: what goes wrong in a simulation, and when. YAML, a list of steps in the order of their times:
 *
 *     - { at: 5s, do: partition, peers: 0-3, for: 10s }   # those against all others
 *     - { at: 20s, do: crash, peers: [1, 4-5], for: 3s }
 *     - { at: 30s, do: loss, probability: 0.2 }           # of everybody, until the end
 *
 * All faults of a file are told at once, each with its line (code `scenario`, fault local).
 */
import { isMap, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { z } from 'zod'
import { field, oneOf, type Read, shown } from '../peer/settings/values.ts'
import { GrapevineError } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'
import { MAX_SCENARIO_STEPS } from './limits.ts'
import { readBandwidth, readDuration, readLatency, readProbability, readSignedDuration, readTimes } from './units.ts'

/** Times in virtual milliseconds since the start; `for` undefined: until the end, or until another step undoes it. */
export type ScenarioStep = z.output<ReturnType<typeof stepSchema>>

function stepSchema(nodes: number) {
  const at = required((value) => readDuration(value))
  const lasting = field((value) => readDuration(value))
  const peers = required((value) => readPeers(value, nodes))
  const anybody = field((value) => readPeers(value, nodes))
  const probability = required(readProbability)
  const who = { at, peers, for: lasting }
  const whose = { at, peers: anybody, for: lasting }
  return z.discriminatedUnion('do', [
    z.strictObject({ do: z.literal('partition'), ...who, direction: field((value) => oneOf('direction', value, ['both', 'in', 'out'])) }),
    z.strictObject({ do: z.literal('flap'), ...who, every: required((value) => readDuration(value)) }),
    z.strictObject({ do: z.literal('half-open'), ...who }),
    z.strictObject({ do: z.literal('heal'), at }),
    z.strictObject({ do: z.literal('crash'), ...who }),
    z.strictObject({ do: z.literal('restart'), at, peers }),
    z.strictObject({ do: z.literal('pause'), ...who, for: required((value) => readDuration(value)) }),
    z.strictObject({ do: z.literal('slow'), ...who, times: required(readTimes) }),
    z.strictObject({ do: z.literal('latency'), ...whose, latency: required(readLatency) }),
    z.strictObject({ do: z.literal('bandwidth'), ...whose, rate: required(readBandwidth) }),
    z.strictObject({ do: z.literal('loss'), ...whose, probability }),
    z.strictObject({ do: z.literal('duplicate'), ...whose, probability }),
    z.strictObject({ do: z.literal('reorder'), ...whose, probability, late: required((value) => readDuration(value)) }),
    z.strictObject({ do: z.literal('skew'), at, peers, by: required(readSignedDuration) }),
  ])
}

type StepSchema = ReturnType<typeof stepSchema>

/** `name`: what the file is called in messages. Throws one GrapevineError `scenario` for all faults; `data.faults` lists them. */
export function readScenario(text: string, name: string, nodes: number): readonly ScenarioStep[] {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const faults: { readonly line: number; readonly message: string }[] = []
  const add = (offset: number | undefined, message: string) => faults.push({ line: lines.linePos(offset ?? 0).line, message })
  for (const error of document.errors) add(error.pos[0], `${error.message.split('\n')[0]!.replace(/ at line .*$/, '')}.`)
  const steps: ScenarioStep[] = []
  const list = document.contents
  if (faults.length === 0 && !isSeq<Node>(list)) add(0, 'A scenario is a list of steps, such as - { at: 5s, do: crash, peers: 1 }.')
  if (faults.length === 0 && isSeq<Node>(list)) {
    if (list.items.length > MAX_SCENARIO_STEPS) add(0, `It has ${list.items.length} steps; at most ${MAX_SCENARIO_STEPS} are run.`)
    const schema = stepSchema(nodes)
    let lastMs = 0
    for (const item of list.items.slice(0, MAX_SCENARIO_STEPS)) {
      const step = readStep(item, schema, add)
      const at = readDuration(isMap(item) ? item.get('at') : undefined)
      if ('value' in at) {
        if (at.value < lastMs)
          add(offsetOf(item, 'at'), `The times go back: this step is at ${shown(isMap(item) ? item.get('at') : '')}, after a later one.`)
        lastMs = Math.max(lastMs, at.value)
      }
      if (step !== null) steps.push(step)
    }
  }
  if (faults.length === 0) return steps
  const message = faults.map(({ line, message }) => `${name}, line ${line}: ${message}`).join('\n')
  throw new GrapevineError('scenario', 'local', message, { faults })
}

function readStep(item: Node, schema: StepSchema, add: (offset: number | undefined, message: string) => void): ScenarioStep | null {
  const value: unknown = isMap(item) ? item.toJSON() : null
  if (value === null) {
    add(item.range?.[0], 'A step is a map with at, do and what belongs to it.')
    return null
  }
  const read = schema.safeParse(value)
  if (read.success) return read.data
  for (const issue of read.error.issues) {
    const [key = ''] = issue.path.map(String)
    if (issue.code === 'unrecognized_keys') {
      for (const unknown of issue.keys) add(offsetOf(item, unknown), `"${unknown}" is no part of this step.`)
    } else if (key === 'do') add(offsetOf(item, 'do') ?? item.range?.[0], unknownKind(Object(value).do))
    else add(offsetOf(item, key) ?? item.range?.[0], `"${key}" ${issue.message}.`)
  }
  return null
}

function unknownKind(given: unknown): string {
  const kinds = stepSchema(1).options.map((option) => option.shape.do.value)
  const [close] = typeof given === 'string' ? nearest(given, kinds, 1) : []
  const hint = close === undefined ? `there are ${kinds.join(', ')}` : `did you mean ${close}`
  return given === undefined
    ? `"do" is missing: ${hint}.`
    : `${shown(given)} is no fault known here; ${hint}${close === undefined ? '.' : '?'}`
}

function offsetOf(item: Node, key: string): number | undefined {
  if (!isMap<Node, Node>(item)) return undefined
  const pair = item.items.find((candidate) => String(candidate.key) === key)
  return pair?.key.range?.[0]
}

/** As `field`, but it must be there. */
function required<T>(read: (value: unknown) => Read<T>) {
  return z.unknown().transform((value, context) => {
    const result: Read<T> = value === undefined ? { fault: 'is missing' } : read(value)
    if ('value' in result) return result.value
    context.addIssue({ code: 'custom', message: result.fault })
    return z.NEVER
  })
}

/** `3`, `0-31`, or a list of such; each once, in order. */
function readPeers(value: unknown, nodes: number): Read<readonly number[]> {
  const parts = Array.isArray(value) ? value : [value]
  const peers = new Set<number>()
  for (const part of parts) {
    const [, from = '', to = from] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(String(part)) ?? []
    if (from === '' || Number(to) < Number(from)) return { fault: `must name peers, such as 3, 0-31 or [1, 4-5], not ${shown(value)}` }
    if (Number(to) >= nodes) return { fault: `names peer ${to}, and there are 0 to ${nodes - 1}` }
    for (let peer = Number(from); peer <= Number(to); peer++) peers.add(peer)
  }
  return peers.size === 0 ? { fault: 'names no peer' } : { value: [...peers].sort((a, b) => a - b) }
}
