/** Entry of a trial's thread: imports a module of the user's own and tries its environment; a shared word says how far it has come. */
import { parentPort, workerData } from 'node:worker_threads'
import { checkEnvironment } from '../envs/check.ts'
import { findEnvironment, makeVectorEnv } from '../envs/registry.ts'
import { sizeOf } from '../envs/spaces.ts'
import { messageOf } from '../util/errors.ts'
import { plainError } from './learner-protocol.ts'
import { loadOwnModule } from './own-module.ts'
import { enter, type TrialData, type TrialReply } from './trial-protocol.ts'

const { path, full, stage } = workerData as TrialData

function check(id: string): readonly string[] {
  enter(stage, 'check')
  // As it was made: `makeEnv` would refuse it at the first thing that it lacks.
  return checkEnvironment(() => findEnvironment(id).make({}))
}

/** What is wrong, in words: all of it, or the first thing that keeps it from being made and reset. */
function problemsOf(id: string): readonly string[] {
  if (full) return check(id)
  try {
    enter(stage, 'make')
    const environment = makeVectorEnv(id, 1)
    enter(stage, 'reset')
    environment.reset(0, new Float32Array(sizeOf(environment.observationSpace)))
    environment.close()
    return []
  } catch (error) {
    const [problem = messageOf(error)] = check(id)
    return [problem]
  }
}

async function trial(): Promise<TrialReply> {
  try {
    enter(stage, 'import')
    const { id } = await loadOwnModule(path)
    return { id, problems: problemsOf(id) }
  } catch (error) {
    return { error: plainError(error) }
  }
}

parentPort!.postMessage(await trial())
// An environment may have left timers behind.
process.exit()
