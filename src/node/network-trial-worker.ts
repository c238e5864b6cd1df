/** Entry of a trial's thread for a model of one's own: builds it and runs both passes once; a shared word says how far it has come. */
import { parentPort, workerData } from 'node:worker_threads'
import { tryOut } from '../learn/engines/own-trial.ts'
import { loadBackend } from '../learn/engines/tfjs-backend.ts'
import { plainError } from './learner-protocol.ts'
import { buildOwnNetwork, importNetworkModule } from './own-network.ts'
import { enter, type NetworkTrialData, type NetworkTrialReply } from './trial-protocol.ts'

const { module, job, stage } = workerData as NetworkTrialData

async function trial(): Promise<NetworkTrialReply> {
  try {
    if (job === null) {
      enter(stage, 'import')
      await importNetworkModule(module)
      return { network: null }
    }
    const network = await buildOwnNetwork(module, job.like, job.seed, (name) => enter(stage, name))
    enter(stage, 'load')
    const backend = await loadBackend(null)
    enter(stage, 'pass')
    tryOut(backend, network, module.file)
    return { network }
  } catch (error) {
    return { error: plainError(error) }
  }
}

parentPort!.postMessage(await trial())
// A module may have left timers behind.
process.exit()
