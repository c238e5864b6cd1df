/**
 * Keeps what a peer needs to go on after it ended in whatever way: checkpoints of its learner, and the addresses of others. What cannot be
 * written (a full disk) is told as a warning, stops nobody, and is tried again at the next turn.
 */
import { savedCounters } from '../learn/state.ts'
import type { PeerEvent } from '../observe/events.ts'
import type { LearnerState } from '../ports/learner.ts'
import { saveAddresses } from '../store/addresses.ts'
import { type CheckpointFacts, checkpointFile, type Evaluated } from '../store/checkpoint-file.ts'
import { CheckpointWriter } from '../store/checkpoints.ts'
import { ADDRESSES_PERIOD_MS } from './limits.ts'
import type { PeerPorts, Run } from './run.ts'
import type { PeerSettings } from './settings.ts'

export interface KeeperOptions {
  readonly run: Run
  readonly ports: Pick<PeerPorts, 'clock' | 'storage' | 'workers' | 'network'>
  readonly settings: Pick<PeerSettings, 'checkpointMs' | 'checkpointReplay'>
  readonly incarnation: number
  readonly addresses: () => readonly string[]
  /** Of the parameters as they are now; null: they were not evaluated. */
  readonly evaluated: () => Evaluated | null
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

  constructor(options: KeeperOptions) {
    this.#options = options
    this.#writer = new CheckpointWriter(options.ports.storage, options.run.id)
  }

  /** Saves at once and then in every period. */
  start(): void {
    this.#loop ??= this.#run(this.#ending.signal)
  }

  /** Ends what `start` began; `save`: with a last checkpoint. Nothing is written afterwards. */
  async end(save: boolean): Promise<void> {
    this.#ending.abort()
    if (this.#loop === null) return
    await this.#loop
    if (save) await Promise.all([this.#save(), this.#saveAddresses()])
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { ports, settings } = this.#options
    const { clock } = ports
    await this.#saveAddresses()
    await this.#save()
    let nextMs = clock.now() + settings.checkpointMs
    while (!signal.aborted) {
      await clock.sleep(Math.min(ADDRESSES_PERIOD_MS, Math.max(0, nextMs - clock.now())), signal).catch(() => undefined)
      if (signal.aborted) return
      await this.#saveAddresses()
      if (clock.now() < nextMs) continue
      await this.#save()
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
      const facts = this.#facts(state)
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

  #facts(state: LearnerState): CheckpointFacts {
    const { run, ports, incarnation, evaluated } = this.#options
    return {
      run: run.id,
      peer: ports.network.id,
      incarnation,
      savedAtUnixSeconds: ports.clock.unixSeconds(),
      ...savedCounters(state),
      returnMean: run.learner.progress().returnMean,
      evaluation: evaluated(),
    }
  }

  #warn(code: string, message: string): void {
    this.#options.emit({ event: 'warning', code, message })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
