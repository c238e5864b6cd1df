/** A new run that begins with weights from elsewhere (transfer), instead of those drawn from its seed. */
import { takeOver } from '../learn/initial-slices.ts'
import type { Tensor } from '../ports/tensors.ts'
import { GrapevineError } from '../util/errors.ts'
import type { Run } from './run.ts'

/** Before the run's first update. `warn` is told what was not taken over. Throws `init_from` where nothing fits. */
export async function initialiseFrom(
  run: Run,
  tensors: Readonly<Record<string, Tensor>>,
  path: string,
  warn: (code: string, message: string) => void,
): Promise<void> {
  const { parameters, taken, left } = takeOver(run.learner.describe().slices, run.initial, tensors)
  if (taken.length === 0) {
    throw new GrapevineError('init_from', 'local', `Nothing in ${path} (--init-from) fits the network of this run: ${left.join(', ')}.`, {
      path,
    })
  }
  if (left.length > 0)
    warn('init_from', `These parts of the network were not taken from ${path} and start from their initial values: ${left.join(', ')}.`)
  await run.learner.adopt({ parameters, target: null, version: 0, steps: 0, normalisers: [] })
}
