/** Entry of the thread that owns the Python children of one bridged environment; it ends when the environment is closed. */
import { workerData } from 'node:worker_threads'
import type { BridgeThreadData } from '../envs/bridge/plan.ts'
import { serveBridge } from '../envs/bridge/serve.ts'

serveBridge(workerData as BridgeThreadData)
