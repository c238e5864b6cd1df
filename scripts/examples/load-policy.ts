/** Plays one episode with an exported policy: `node scripts/examples/load-policy.ts policy.safetensors`. */
import { makeEnv } from '../../src/index.ts'
import { loadPolicy } from '../../src/policy.ts'

const policy = await loadPolicy(process.argv[2]!)
const environment = makeEnv(policy.facts.environment.id)
let { observation } = environment.reset({ seed: 1 })
let sum = 0
for (let over = false; !over; ) {
  const step = environment.step(policy.act(observation, { deterministic: true }))
  sum += step.reward
  observation = step.observation
  over = step.terminated || step.truncated
}
console.log(`return ${sum}`)
