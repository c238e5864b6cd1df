/**
 * A hostile peer: plain sockets and libp2p, none of the classes that honest peers are made of; only the byte layouts are shared, to forge
 * messages that look right. Every method returns how often it did it.
 */
import { createHash } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type GossipSub, gossipsub } from '@chainsafe/libp2p-gossipsub'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { type Identify, identify } from '@libp2p/identify'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { encodeBeacon } from '../../src/wire/beacon.ts'
import { encodeFrame, RUN_PREFIX_BYTES } from '../../src/wire/frame.ts'
import { SKETCH_BUCKETS } from '../../src/wire/limits.ts'
import { AGENT_VERSION, beaconTopic, parameterTopic, STATE_PROTOCOL } from '../../src/wire/protocol.ts'

type Node = Libp2p<{ identify: Identify; gossip: GossipSub }>

export class Enemy {
  readonly #node: Node
  readonly #run: string
  readonly #address: string
  readonly #count: number
  #connection: Connection
  #sequence = 0
  readonly #heard = new Map<string, number>()

  private constructor(node: Node, connection: Connection, address: string, run: string, count: number) {
    this.#node = node
    this.#connection = connection
    this.#address = address
    this.#run = run
    this.#count = count
    node.services.gossip.addEventListener('message', ({ detail }) => {
      const author = 'from' in detail ? detail.from.toString() : ''
      this.#heard.set(author, this.heard(author) + 1)
    })
  }

  /** Connects to `address` and joins the topics of `run`; `count`: parameters of its model. */
  static async connect(address: string, run: string, count: number): Promise<Enemy> {
    const node: Node = await createLibp2p({
      privateKey: await generateKeyPair('Ed25519'),
      nodeInfo: { userAgent: AGENT_VERSION },
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      services: { identify: identify(), gossip: gossipsub({ allowPublishToZeroTopicPeers: true, floodPublish: true }) },
    })
    const connection = await node.dial(multiaddr(address))
    const enemy = new Enemy(node, connection, address, run, count)
    for (const topic of [beaconTopic(run), parameterTopic(run)]) node.services.gossip.subscribe(topic)
    for (let i = 0; i < 100 && node.services.gossip.getSubscribers(beaconTopic(run)).length === 0; i++) await sleep(100)
    return enemy
  }

  get id(): string {
    return this.#node.peerId.toString()
  }

  /** Messages of gossip that it heard from this author. */
  heard(author: string): number {
    return this.#heard.get(author) ?? 0
  }

  /** Resets the gossip stream of one direction and leaves the connection open; returns how many there were. */
  async resetGossip(direction: 'inbound' | 'outbound'): Promise<number> {
    const streams = this.#connection.streams.filter((stream) => stream.protocol.startsWith('/meshsub/') && stream.direction === direction)
    for (const stream of streams) stream.abort(new Error('reset for a test'))
    return streams.length
  }

  async stop(): Promise<void> {
    await this.#node.stop()
  }

  /** One valid frame, but for what `lie` changes. */
  async frame(
    values: Float32Array,
    lie: {
      sequence?: number
      version?: number
      author?: string
      runPrefix?: Uint8Array
      count?: number
      patch?: (bytes: Uint8Array) => void
    } = {},
  ) {
    const bytes = encodeFrame({
      runPrefix: lie.runPrefix ?? new Uint8Array(Buffer.from(this.#run, 'hex')).subarray(0, RUN_PREFIX_BYTES),
      author: lie.author ?? this.id,
      incarnation: 1,
      sequence: lie.sequence ?? ++this.#sequence,
      version: lie.version ?? 1,
      epoch: 1,
      codec: 'f32',
      count: lie.count ?? values.length,
      payload: new Uint8Array(values.buffer.slice(0)),
      normalisers: [],
    })
    lie.patch?.(bytes)
    await this.#node.services.gossip.publish(parameterTopic(this.#run), bytes)
    return bytes
  }

  values(fill: (i: number) => number): Float32Array {
    return Float32Array.from({ length: this.#count }, (_, i) => fill(i))
  }

  /** Any bytes as a beacon or as parameters, with a good signature. */
  async say(where: 'beacon' | 'frame', bytes: Uint8Array): Promise<void> {
    await this.#node.services.gossip.publish(where === 'beacon' ? beaconTopic(this.#run) : parameterTopic(this.#run), bytes)
  }

  /** Any bytes as a request, whole and of the length they say. */
  async ask(protocol: string, bytes: Uint8Array): Promise<void> {
    const stream = await this.#open(protocol)
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length)
    stream.send(length)
    stream.send(bytes)
    await stream.close()
  }

  /** Beacons with a good signature, each another one. */
  async floodBeacons(count: number, perSecond: number): Promise<number> {
    const topic = beaconTopic(this.#run)
    return this.#paced(count, perSecond, (i) =>
      this.#node.services.gossip.publish(
        topic,
        encodeBeacon({
          incarnation: 1,
          sequence: i,
          epoch: 1,
          version: 1,
          steps: 1,
          returnMean: null,
          digest: new Uint8Array(32),
          sketch: new Float32Array(SKETCH_BUCKETS),
          holding: true,
          leaving: false,
          observing: false,
          addresses: [],
        }),
      ),
    )
  }

  /** Unique noise on the topic of parameters, `bytes` each. */
  floodNoise(count: number, perSecond: number, bytes: number): Promise<number> {
    const topic = parameterTopic(this.#run)
    return this.#paced(count, perSecond, (i) => {
      const noise = new Uint8Array(bytes)
      noise.set(createHash('sha256').update(String(i)).digest())
      return this.#node.services.gossip.publish(topic, noise)
    })
  }

  /** Opens streams of the state protocol and says nothing on them. */
  floodStreams(count: number, perSecond: number): Promise<number> {
    return this.#paced(count, perSecond, async () => {
      await this.#open()
    })
  }

  /** Asks for a snapshot as often as it can be written. */
  floodRequests(count: number, perSecond: number): Promise<number> {
    return this.#paced(count, perSecond, async () => {
      const stream = await this.#open()
      stream.send(Uint8Array.of(0, 0, 0, 1, 2))
      await stream.close()
    })
  }

  /** Declares bodies of 4 GiB, of 257 bytes, and sends one byte a second of small ones. */
  async lieAboutLengths(): Promise<number> {
    let done = 0
    for (const head of [
      [255, 255, 255, 255],
      [127, 255, 255, 255],
      [0, 0, 1, 1],
    ]) {
      const stream = await this.#open()
      stream.send(Uint8Array.from(head))
      for (let i = 0; i < 64 && stream.status === 'open'; i++) {
        stream.send(new Uint8Array(65_536))
        await sleep(5)
      }
      done++
    }
    return done
  }

  async drip(seconds: number): Promise<number> {
    const stream = await this.#open()
    stream.send(Uint8Array.of(0, 0, 0, 200))
    let sent = 0
    for (; sent < seconds && stream.status === 'open'; sent++) {
      stream.send(Uint8Array.of(1))
      await sleep(1_000)
    }
    return sent
  }

  /** Asks for ranges of the manifest and never reads the answers. */
  async neverRead(count: number): Promise<number> {
    let done = 0
    for (let i = 0; i < count; i++) {
      const ask = new Uint8Array(13)
      ask.set([0, 0, 0, 9, 1])
      new DataView(ask.buffer).setUint32(9, 64_512, true)
      try {
        const stream = await this.#open()
        stream.pause()
        stream.send(ask)
        done++
      } catch {
        // Refused: it holds as many of ours as it wants.
      }
    }
    return done
  }

  /** A frame of the multiplexer that claims 1 GiB, and `megabytes` of it. */
  async muxerBomb(megabytes: number): Promise<number> {
    await this.#reconnect()
    const header = new Uint8Array(12)
    new DataView(header.buffer).setUint32(4, 1)
    new DataView(header.buffer).setUint32(8, 0x40000000)
    const { maConn } = (this.#connection as unknown as { muxer: { maConn: { send(bytes: Uint8Array): boolean } } }).muxer
    maConn.send(header)
    for (let i = 0; i < megabytes && this.#connection.status === 'open'; i++) {
      try {
        maConn.send(new Uint8Array(1_048_576))
      } catch {
        break
      }
      await sleep(2)
    }
    return 1
  }

  /** Plain sockets: some say nothing, some noise, some half a greeting. */
  async sockets(count: number): Promise<number> {
    const [, , host = '', , port] = this.#address.split('/')
    const open: Socket[] = []
    let connected = 0
    for (let i = 0; i < count; i++) {
      const socket = createConnection({ host, port: Number(port) })
      socket.on('error', () => undefined)
      socket.on('connect', () => {
        connected++
        if (i % 3 === 1) socket.write(createHash('sha512').update(String(i)).digest())
        if (i % 3 === 2) socket.write('\u0013/multistream/1.0')
      })
      open.push(socket)
      await sleep(2)
    }
    await sleep(1_000)
    for (const socket of open) socket.destroy()
    return connected
  }

  async #paced(count: number, perSecond: number, act: (i: number) => Promise<unknown>): Promise<number> {
    let done = 0
    const began = performance.now()
    const going: Promise<unknown>[] = []
    for (let i = 1; i <= count; i++) {
      const work = act(i).then(
        () => {
          done++
        },
        () => undefined,
      )
      going.push(work)
      const aheadMs = (i * 1_000) / perSecond - (performance.now() - began)
      if (aheadMs > 1) await sleep(aheadMs)
      else if (i % 50 === 0) await sleep(0)
    }
    await Promise.race([Promise.all(going), sleep(3_000)])
    return done
  }

  async #open(protocol = STATE_PROTOCOL): Promise<Stream> {
    if (this.#connection.status !== 'open') await this.#reconnect()
    const opened = await this.#connection.newStream(protocol, { maxOutboundStreams: 100_000, signal: AbortSignal.timeout(5_000) })
    return opened
  }

  async #reconnect(): Promise<void> {
    this.#connection = await this.#node.dial(multiaddr(this.#address), { force: true })
  }
}
