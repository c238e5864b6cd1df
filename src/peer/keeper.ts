/**
 * Keeps what a peer needs to go on after it ended in whatever way: checkpoints of its learner, and the addresses of others. What cannot be
 * written (a full disk) is told as a warning, stops nobody, and is tried again at the next turn.
 */
import { replicaState, savedCounters } from '../learn/state.ts'
import type { PeerEvent } from '../observe/events.ts'
import { saveAddresses } from '../store/addresses.ts'
import { type CheckpointFacts, checkpointFile, type Evaluated } from '../store/checkpoint-file.ts'
import { CheckpointWriter } from '../store/checkpoints.ts'
import { messageOf } from '../util/errors.ts'
import type { EvaluatedReplica } from './evaluations.ts'
import { ADDRESSES_PERIOD_MS } from './limits.ts'
import type { PeerPorts, Run } from './run.ts'
import type { PeerSettings } from './settings.ts'

export interface KeeperOptions {
  readonly run: Run
  readonly ports: Pick<PeerPorts, 'clock' | 'storage' | 'workers' | 'network'>
  readonly settings: Pick<PeerSettings, 'checkpointMs' | 'checkpointReplay'>
  readonly incarnation: number
  readonly addresses: () => readonly string[]
  /** The path of a stored file as a person reads it. */
  readonly pathOf: (name: string) => string
  readonly emit: (event: PeerEvent) => void
}

export class Keeper {
  readonly #options: KeeperOptions
  readonly #writer: CheckpointWriter
  readonly #ending = new AbortController()
  #loop: Promise<void> | null = null
  #known = ''
  /** Updates and steps behind the last checkpoint. */
  #saved = ''
  #turn: Promise<void> = Promise.resolve()

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#writer = new CheckpointWriter(options.ports.storage, options.run.id)
  }

  /** Saves at once and then in every period. */
  start(): void {
    this.#loop ??= this.#run(this.#ending.signal)
  }

  /** Saves now, after whatever is being saved; never rejects: what fails is told as a warning. */
  checkpoint(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#save())
    return this.#turn
  }

  /** Keeps an evaluated replica where it is better than every one before; never rejects. */
  async evaluated({ replica, deterministic, episodes, steps, best }: EvaluatedReplica): Promise<void> {
    if (!best || !Number.isFinite(deterministic)) return
    const { run, ports } = this.#options
    try {
      const progress = run.learner.progress()
      const facts = this.#facts(
        { version: replica.version, steps, updates: progress.updates, episodes: progress.episodes },
        { mean: deterministic, episodes },
      )
      const file = checkpointFile({ facts, manifestBytes: run.manifestBytes, state: replicaState(replica) })
      await this.#writer.keepBest(await ports.workers.compute.sealTensors(file), facts)
    } catch (error) {
      this.#warn('checkpoint_failed', `The best replica could not be kept: ${messageOf(error)}`)
    }
  }

  /** Ends what `start` began; `save`: with a last checkpoint. Nothing is written afterwards. */
  async end(save: boolean): Promise<void> {
    this.#ending.abort()
    if (this.#loop === null) return
    await this.#loop
    if (save) await Promise.all([this.checkpoint(), this.#saveAddresses()])
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { ports, settings } = this.#options
    const { clock } = ports
    await this.#saveAddresses()
    await this.checkpoint()
    let nextMs = clock.now() + settings.checkpointMs
    while (!signal.aborted) {
      await clock.sleep(Math.min(ADDRESSES_PERIOD_MS, Math.max(0, nextMs - clock.now())), signal).catch(() => undefined)
      if (signal.aborted) return
      await this.#saveAddresses()
      if (clock.now() < nextMs) continue
      await this.checkpoint()
      nextMs = clock.now() + settings.checkpointMs
    }
  }

  /** Where they changed since the last time; never rejects. */
  async #saveAddresses(): Promise<void> {
    const addresses = this.#options.addresses()
    const known = addresses.join(' ')
    if (known === this.#known) return
    try {
      await saveAddresses(this.#options.ports.storage, this.#options.run.id, addresses)
      this.#known = known
    } catch (error) {
      this.#warn('addresses_failed', `The addresses of other peers could not be kept: ${messageOf(error)}`)
    }
  }

  /** Never rejects. */
  async #save(): Promise<void> {
    const { run, ports, settings, pathOf, emit } = this.#options
    try {
      const state = await run.learner.saveState({ replay: settings.checkpointReplay })
      const facts = this.#facts(savedCounters(state), null)
      const standing = `${facts.version} ${facts.steps}`
      if (standing === this.#saved) return
      const bytes = await ports.workers.compute.sealTensors(checkpointFile({ facts, manifestBytes: run.manifestBytes, state }))
      const name = await this.#writer.write(bytes, facts)
      this.#saved = standing
      emit({ event: 'checkpoint', path: pathOf(name) })
    } catch (error) {
      this.#warn(
        'checkpoint_failed',
        `No checkpoint could be written; training goes on, and the next one is tried in time. ${messageOf(error)}`,
      )
    }
  }

  #facts(counters: ReturnType<typeof savedCounters>, evaluation: Evaluated | null): CheckpointFacts {
    const { run, ports, incarnation } = this.#options
    return {
      run: run.id,
      peer: ports.network.id,
      incarnation,
      savedAtUnixSeconds: ports.clock.unixSeconds(),
      ...counters,
      returnMean: run.learner.progress().returnMean,
      evaluation,
    }
  }

  #warn(code: string, message: string): void {
    this.#options.emit({ event: 'warning', code, message })
  }
}
