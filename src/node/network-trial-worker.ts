/** Entry of a trial's thread for a model of one's own: builds it and runs both passes once; a shared word says how far it has come. */
import { parentPort, workerData } from 'node:worker_threads'
import { tryOut } from '../learn/engines/own-trial.ts'
import { loadBackend } from '../learn/engines/tfjs-backend.ts'
import { plainError } from './learner-protocol.ts'
import { buildOwnNetwork, importNetworkModule } from './own-network.ts'
import { type NetworkTrialData, type NetworkTrialReply, STAGES } from './trial-protocol.ts'

const { module, job, stage } = workerData as NetworkTrialData

function enter(name: (typeof STAGES)[number]): void {
  Atomics.store(stage, 0, STAGES.indexOf(name))
}

async function trial(): Promise<NetworkTrialReply> {
  try {
    if (job === null) {
      enter('import')
      await importNetworkModule(module)
      return { network: null }
    }
    const network = await buildOwnNetwork(module, job.like, job.seed, enter)
    enter('load')
    const backend = await loadBackend(null)
    enter('pass')
    tryOut(backend, network, module.file)
    return { network }
  } catch (error) {
    return { error: plainError(error) }
  }
}

parentPort!.postMessage(await trial())
// A module may have left timers behind.
process.exit()
