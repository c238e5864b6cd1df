/** Machines made of network namespaces on one bridge (root on Linux): each daemon its own address, with links that can be cut. */
import { execFileSync } from 'node:child_process'

export class Machines {
  readonly #bridge: string
  readonly #names: string[] = []
  readonly #prefix: string
  /** Commands of `ip` that changed a link. */
  changes = 0

  constructor() {
    this.#prefix = `gv${process.pid % 10_000}`
    this.#bridge = `${this.#prefix}br`
    run('ip', 'link', 'add', this.#bridge, 'type', 'bridge')
    run('ip', 'link', 'set', this.#bridge, 'up')
  }

  static areThere(): boolean {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
    try {
      new Machines().remove()
      return true
    } catch {
      return false
    }
  }

  /** Address of machine `i`. */
  host(i: number): string {
    return `10.79.${process.pid % 200}.${i + 1}`
  }

  /** What runs a program on a new machine. */
  add(): readonly string[] {
    const i = this.#names.length
    const [name, outer] = [`${this.#prefix}n${i}`, `${this.#prefix}v${i}`]
    run('ip', 'netns', 'add', name)
    this.#names.push(name)
    run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    run('ip', 'link', 'set', outer, 'master', this.#bridge)
    run('ip', 'link', 'set', outer, 'up')
    inside(name, 'ip', 'addr', 'add', `${this.host(i)}/24`, 'dev', 'eth0')
    inside(name, 'ip', 'link', 'set', 'eth0', 'up')
    inside(name, 'ip', 'link', 'set', 'lo', 'up')
    return ['ip', 'netns', 'exec', name]
  }

  /** Machines of one group no longer reach those of the other; `oneWay`: the first cannot answer the second, which still reaches it. */
  cut(first: readonly number[], second: readonly number[], oneWay = false): void {
    for (const a of first) for (const b of second) this.#block(a, b, 'add')
    if (!oneWay) for (const a of first) for (const b of second) this.#block(b, a, 'add')
  }

  heal(first: readonly number[], second: readonly number[]): void {
    for (const a of first)
      for (const b of second)
        for (const [from, to] of [
          [a, b],
          [b, a],
        ] as const)
          this.#block(from, to, 'del')
  }

  remove(): void {
    for (const name of this.#names) quietly('ip', 'netns', 'del', name)
    quietly('ip', 'link', 'del', this.#bridge)
  }

  #block(from: number, to: number, verb: 'add' | 'del'): void {
    // Packets with no way back are lost without a word, as on a broken line.
    try {
      inside(this.#names[from]!, 'ip', 'route', verb, 'blackhole', `${this.host(to)}/32`)
      this.changes++
    } catch (error) {
      if (verb === 'add') throw error
    }
  }
}

function run(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: 'pipe' })
}

function inside(name: string, ...command: readonly string[]): void {
  run('ip', 'netns', 'exec', name, ...command)
}

function quietly(program: string, ...args: readonly string[]): void {
  try {
    run(program, ...args)
  } catch {
    // Gone already.
  }
}
