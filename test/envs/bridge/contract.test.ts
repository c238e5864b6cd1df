/** Environments of Gymnasium keep the contract of all others. Skipped, and said so, where python3 lacks them; never in CI. */
import { describe } from 'node:test'
import { environmentContract } from '../../contract/environment.ts'
import { withoutGymnasium } from './support.ts'

describe('bridged environments', { skip: withoutGymnasium() }, () => {
  environmentContract('gym:CartPole-v1', { steps: 100 })
  environmentContract('gym:Pendulum-v1', { steps: 250 })
})
