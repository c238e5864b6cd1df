/**
 * Machines behind NAT, made of network namespaces with veth (root on Linux, iptables): a public network, routers on it that translate
 * addresses as home routers do, and a machine behind each. Nothing of it touches the networks of this machine.
 */
import { execFileSync } from 'node:child_process'

/** `port`: a router that keeps ports where it can, and lets in what answers; `random`: one that draws another port for each connection. */
export type NatKind = 'port' | 'random'

const PUBLIC = '11.99.0'

export class NatNetwork {
  readonly #names: string[] = []
  readonly #prefix = `gvn${process.pid % 10_000}`
  readonly #bridge = `${this.#prefix}br`
  #next = 1

  constructor() {
    run('ip', 'netns', 'add', this.#bridge)
    this.#names.push(this.#bridge)
    inside(this.#bridge, 'ip', 'link', 'add', 'br0', 'type', 'bridge')
    inside(this.#bridge, 'ip', 'link', 'set', 'br0', 'up')
  }

  /** Why there can be none here; null where there can. */
  static missing(): string | null {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'needs root on Linux'
    try {
      const network = new NatNetwork()
      try {
        network.behindNat('port')
      } finally {
        network.remove()
      }
      return null
    } catch (error) {
      return `needs network namespaces and iptables: ${error instanceof Error ? error.message.split('\n').slice(0, 2).join(' ') : error}`
    }
  }

  /** A machine on the public network: what runs a program there, and its address. */
  open(): { readonly before: readonly string[]; readonly host: string } {
    const name = this.#add()
    return { before: into(name), host: this.#join(name) }
  }

  /** A machine behind a router of its own: what runs a program there. */
  behindNat(kind: NatKind): { readonly before: readonly string[]; readonly host: string } {
    const router = this.#add()
    this.#join(router)
    const name = this.#add()
    const net = `10.${this.#next}.0`
    inside(router, 'ip', 'link', 'add', 'inner', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    inside(router, 'ip', 'addr', 'add', `${net}.1/24`, 'dev', 'inner')
    inside(router, 'ip', 'link', 'set', 'inner', 'up')
    inside(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1')
    inside(name, 'ip', 'addr', 'add', `${net}.2/24`, 'dev', 'eth0')
    inside(name, 'ip', 'link', 'set', 'eth0', 'up')
    inside(name, 'ip', 'route', 'add', 'default', 'via', `${net}.1`)
    const draw = kind === 'random' ? ['--random'] : []
    inside(router, 'iptables', '-t', 'nat', '-A', 'POSTROUTING', '-o', 'eth0', '-j', 'MASQUERADE', ...draw)
    for (const chain of ['INPUT', 'FORWARD']) {
      inside(router, 'iptables', '-A', chain, '-i', 'eth0', '-m', 'conntrack', '--ctstate', 'ESTABLISHED,RELATED', '-j', 'ACCEPT')
      inside(router, 'iptables', '-A', chain, '-i', 'eth0', '-j', 'DROP')
    }
    return { before: into(name), host: `${net}.2` }
  }

  remove(): void {
    for (const name of this.#names.reverse()) {
      try {
        run('ip', 'netns', 'del', name)
      } catch {
        // Gone with the other end of its line.
      }
    }
  }

  #add(): string {
    const name = `${this.#prefix}n${this.#names.length}`
    run('ip', 'netns', 'add', name)
    this.#names.push(name)
    inside(name, 'ip', 'link', 'set', 'lo', 'up')
    return name
  }

  /** On the public network from now on, as eth0. */
  #join(name: string): string {
    const host = `${PUBLIC}.${this.#next}`
    const outer = `v${this.#next++}`
    inside(this.#bridge, 'ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    inside(this.#bridge, 'ip', 'link', 'set', outer, 'master', 'br0')
    inside(this.#bridge, 'ip', 'link', 'set', outer, 'up')
    inside(name, 'ip', 'addr', 'add', `${host}/24`, 'dev', 'eth0')
    inside(name, 'ip', 'link', 'set', 'eth0', 'up')
    return host
  }
}

function into(name: string): readonly string[] {
  return ['ip', 'netns', 'exec', name]
}

function inside(name: string, ...words: readonly string[]): void {
  run(...into(name), ...words)
}

function run(...[program = '', ...args]: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
}
