/**
 * The flags of `start` and `join`: their names and one line of help each. Their values are judged by the settings' schema, not here, so that
 * flags and file meet the same rules and all faults come at once.
 */
import { type Command, Option } from 'commander'

const FOUNDING: readonly [string, string][] = [
  ['--env <id>', 'what to learn: one of `grapevine envs`, or ./my-env.ts'],
  ['--algo <id>', 'how to learn (a2c)'],
  ['--seed <n>', 'seed of the weights and of the run (random)'],
  ['--strategy <name>', 'how peers average: auto, broadcast, none (auto)'],
  ['--codec <name>', 'how parameters travel: f32, f16 (f32)'],
  ['--period <updates>', 'updates between averaging rounds'],
  ['--name <text>', 'what to call the run'],
]

const JOINING: readonly [string, string][] = [['--env <module>', "the run's environment, where it is one of your own"]]

const LOCAL: readonly [string, string][] = [
  ['--set <key=value>', 'a hyper-parameter, or minPeriodMs; repeatable'],
  ['--config <file>', 'YAML with these settings; flags win over it'],
  ['--data-dir <folder>', 'where to keep key and state (~/.grapevine/default)'],
  ['--listen <addr>', 'address to listen on; repeatable (127.0.0.1:0)'],
  ['--announce <addr>', 'address to tell others instead; repeatable'],
  ['--lan', 'listen on all interfaces and find peers by mDNS'],
  ['--no-mdns', 'with --lan: do not look for peers'],
  ['--engine <name>', 'what computes: wasm, tfjs (wasm)'],
  ['--deterministic', 'alone, the same seed gives the same curve'],
  ['--allow-python', "join runs whose environment is Python's (gym:...)"],
  ['--until <goal>', 'stop at: solved, steps=N, minutes=M (never)'],
  ['--threshold <return>', 'mean return that counts as solved'],
  ['--quiet', 'only what matters: solved, warnings, errors'],
  ['--verbose', 'tell more in the log (stderr)'],
  ['--json', 'events as JSON lines on stdout'],
  ['--dry-run', 'print what would run, and leave'],
]

/** Flags that may come more than once. */
const REPEATABLE = ['--set', '--listen', '--announce']

/** They say how this command prints and are no settings of the daemon. */
const OF_THE_LINE = ['config', 'quiet', 'verbose', 'json', 'dry-run']

export interface PeerFlags {
  readonly config: string | null
  readonly quiet: boolean
  readonly verbose: boolean
  readonly json: boolean
  readonly dryRun: boolean
  /** What was given of the daemon's settings, under the flags' names. */
  readonly settings: Readonly<Record<string, unknown>>
}

export function addPeerOptions(command: Command, founding: boolean): void {
  for (const [flags, description] of founding ? [...FOUNDING, ...LOCAL] : [...JOINING, ...LOCAL]) {
    const option = new Option(flags, description)
    if (REPEATABLE.includes(option.long ?? '')) {
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    }
    command.addOption(option)
  }
  command.addOption(new Option('--wait-for-peers <n>').hideHelp())
}

export function peerFlags(command: Command): PeerFlags {
  const given: Record<string, unknown> = {}
  for (const option of command.options) {
    const name = option.attributeName()
    if (command.getOptionValueSource(name) !== 'cli') continue
    given[option.long?.slice(2) ?? name] = option.negate ? true : command.getOptionValue(name)
  }
  return {
    config: typeof given.config === 'string' ? given.config : null,
    quiet: given.quiet === true,
    verbose: given.verbose === true,
    json: given.json === true,
    dryRun: given['dry-run'] === true,
    settings: Object.fromEntries(Object.entries(given).filter(([name]) => !OF_THE_LINE.includes(name))),
  }
}
