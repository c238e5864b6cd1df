/** Stable-Baselines3 in a child process (sb3.py): trains there, while its weights are evaluated here, in our engine and environments. */
import { join } from 'node:path'
import { makeVectorEnv } from '../../../src/envs/registry.ts'
import { wrapVector } from '../../../src/envs/wrappers/wrap.ts'
import { createWasmEngine } from '../../../src/learn/engines/wasm.ts'
import { Evaluator } from '../../../src/learn/evaluate.ts'
import type { NetworkSpec } from '../../../src/ports/learner.ts'
import { SUSTAINED_EPISODES, Sustained } from '../learn/sustained.ts'
import { type PythonProgram, startPython } from '../python.ts'

/** Steps between two evaluations: Stable-Baselines3 updates on whole rollouts. */
const EVALUATE_EVERY = 2_048

/** How far our logits may be from PyTorch's for the same weights. */
const LOGIT_TOLERANCE = 1e-4

/** Its policy for CartPole, as `MlpPolicy` builds it; the value network does not act. */
const POLICY: NetworkSpec = {
  input: [4],
  torso: [],
  heads: [
    {
      ...{ name: 'logits', size: 2, gain: 0.01 },
      layers: [
        { kind: 'dense', units: 64, activation: 'tanh' },
        { kind: 'dense', units: 64, activation: 'tanh' },
      ],
    },
  ],
  vectors: [],
}

/** Environment steps and seconds of training, evaluations left out. */
export interface Cost {
  readonly steps: number
  readonly cpuSeconds: number
  readonly seconds: number
}

export interface TrainTask {
  readonly algorithm: 'ppo' | 'a2c'
  readonly seed: number
  /** Steps after which it gives up, and over which schedules run. */
  readonly steps: number
  readonly threshold: number
  readonly evaluationSeed: (index: number) => number
}

interface Export extends Cost {
  /** From the input to the logits; weights [inputs][units]. */
  readonly layers: readonly { readonly weights: readonly (readonly number[])[]; readonly bias: readonly number[] }[]
  readonly probe: { readonly observation: readonly number[]; readonly logits: readonly number[] }
}

export class StableBaselines {
  /** What the first line says: versions. */
  readonly versions: unknown
  readonly #program: PythonProgram

  private constructor(program: PythonProgram) {
    this.#program = program
    this.versions = JSON.parse(program.first)
  }

  /** null: this Python has no Stable-Baselines3, or there is no such Python. */
  static async start(python: string): Promise<StableBaselines | null> {
    const program = await startPython(python, join(import.meta.dirname, 'sb3.py'))
    return program === null ? null : new StableBaselines(program)
  }

  /** The cost until the threshold was sustained; null where it never was. */
  async train({ algorithm, seed, steps, threshold, evaluationSeed }: TrainTask): Promise<Cost | null> {
    const environment = wrapVector(makeVectorEnv('CartPole-v1', SUSTAINED_EPISODES, {}), [])
    const evaluator = new Evaluator(environment, POLICY, createWasmEngine({ deterministic: false }))
    const returns = new Sustained(threshold)
    let reached: Cost | null = null
    this.#send({ algorithm, seed, steps, every: EVALUATE_EVERY })
    for (;;) {
      const answer = (await this.#receive()) as Export | { readonly done: true }
      if ('done' in answer) break
      const parameters = Float32Array.from(answer.layers.flatMap(({ weights, bias }) => [...weights.flat(), ...bias]))
      if (returns.evaluations.length === 0) requireSameLogits(parameters, answer.probe)
      const index = returns.evaluations.length + 1
      const options = { episodes: SUSTAINED_EPISODES, deterministic: false, seed: evaluationSeed(index) }
      const { mean } = evaluator.evaluate({ parameters, normalisers: [] }, options)
      const { steps, cpuSeconds, seconds } = answer
      if (returns.add(steps, mean)) reached = { steps, cpuSeconds, seconds }
      this.#send({ go: reached === null })
    }
    evaluator.dispose()
    return reached
  }

  /** What `steps` steps of DQN cost after the first `from`. */
  async speed(seed: number, from: number, steps: number): Promise<Cost> {
    this.#send({ algorithm: 'dqn', seed, from, steps })
    return (await this.#receive()) as Cost
  }

  close(): void {
    this.#program.child.stdin.end()
  }

  #send(message: object): void {
    this.#program.child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  async #receive(): Promise<unknown> {
    const { value, done } = await this.#program.lines.next()
    if (done === true) throw new Error('Python left in the middle of a task; run sb3.py by hand to see why.')
    return JSON.parse(value)
  }
}

/** Throws unless our network computes the same logits from the same weights. */
function requireSameLogits(parameters: Float32Array, { observation, logits }: Export['probe']): void {
  const network = createWasmEngine({ deterministic: true }).build(POLICY, 1)
  const arena = network.allocate()
  network.write(arena, parameters)
  network.forward(arena, Float32Array.from(observation), 1)
  const ours = network.output('logits')
  const far = logits.findIndex((logit, i) => !(Math.abs(logit - ours[i]!) <= LOGIT_TOLERANCE))
  if (far >= 0) throw new Error(`The weights from Python give the logit ${ours[far]} here and ${logits[far]} there.`)
}
