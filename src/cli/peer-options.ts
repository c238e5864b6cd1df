/**
 * The flags of `start` and `join`: their names and one line of help each. Their values are judged by the settings' schema, not here, so that
 * flags and file meet the same rules and all faults come at once.
 */
import { type Command, Option } from 'commander'
import type { Fault } from '../peer/settings/faults.ts'
import { nearest } from '../util/nearest.ts'
import { readAddress } from '../wire/address.ts'
import { looksLikeInvitation } from '../wire/invitation.ts'

const FOUNDING: readonly [string, string][] = [
  ['--env <id>', 'what to learn: one of `grapevine envs`, or ./my-env.ts'],
  ['--algo <id>', 'how to learn (a2c)'],
  ['--preset <name>', 'tuned settings to start from (default)'],
  ['--seed <n>', 'seed of the weights and of the run (random)'],
  ['--strategy <name>', 'how: auto, broadcast, pairwise, push-sum, server, none'],
  ['--partner <rule>', 'with whom: all, random, matching, exponential, ring'],
  ['--server <peer>', 'with --strategy server: which peer it is (this one)'],
  ['--codec <name>', 'how parameters travel: f32, f16, int8, subset:0.1 (f32)'],
  ['--period <updates>', 'updates between averaging rounds, or auto'],
  ['--moments <policy>', "optimiser's moments at a mix: local, averaged, reset (local)"],
  ['--outer <step>', 'momentum over mixes: nesterov, none (none)'],
  ['--robust <rule>', 'against liars: clip, median, trimmed, none (clip)'],
  ['--share-experience <x>', "learn from others' experience, up to this share: 0.2"],
  ['--init-from <file>', 'begin with the weights of an export or checkpoint'],
  ['--name <text>', 'what to call the run'],
  ['--resume [folder]', 'go on with the run of a data folder'],
]

const JOINING: readonly [string, string][] = [['--env <module>', "the run's environment, where it is one of your own"]]

const LOCAL: readonly [string, string][] = [
  ['--set <key=value>', 'a hyper-parameter, or env.OPTION; repeatable'],
  ['--config <file>', 'YAML with these settings; flags win over it'],
  ['--data-dir <folder>', 'where to keep key and state (~/.grapevine/default)'],
  ['--listen <addr>', 'address to listen on; repeatable (127.0.0.1:0)'],
  ['--announce <addr>', 'address to tell others instead; repeatable'],
  ['--lan', 'listen on all interfaces and find peers by mDNS'],
  ['--no-mdns', 'with --lan: do not look for peers'],
  ['--metrics <files>', 'write metrics/ into the data folder: tensorboard,csv'],
  ['--nice <n>', 'stand behind other programs for the processor: 0 to 19'],
  ['--http <addr:port>', 'where the dashboard listens (127.0.0.1, a free port)'],
  ['--no-http', 'no dashboard'],
  ['--engine <name>', 'what computes: wasm, tfjs (wasm)'],
  ['--network <module>', 'a tf.LayersModel of your own: ./my-model.ts (tfjs)'],
  ['--actors <n>', 'threads that act beside the learner: a number or auto (0)'],
  ['--threads <n>', 'threads for batches of 1024 or more: 1, 2 or auto (1)'],
  ['--deterministic', 'alone, the same seed gives the same curve'],
  ['--allow-python', "join runs whose environment is Python's (gym:...)"],
  ['--swarm-key <file>', 'take part in a private swarm, with its key (keygen)'],
  ['--allow <file>', 'let in these peers only: their ids, one per line'],
  ['--relay', 'let peers behind NAT meet through this one (control only)'],
  ['--upnp', 'ask the router to open the port'],
  ['--strict-quotas', 'mix few peers of one address, private ones too'],
  ['--observe', 'follow the run without learning or averaging'],
  ['--checkpoint-replay', 'checkpoints hold the replay memory as well'],
  ['--max-memory <size>', 'leave when this peer needs more: 512MiB, 2GiB'],
  ['--until <goal>', 'stop at: solved, steps=N, minutes=M (never)'],
  ['--threshold <return>', 'mean return that counts as solved'],
  ['--eval-every <steps>', 'evaluate beside training, every so many steps'],
  ['--quiet', 'only what matters: solved, warnings, errors'],
  ['--verbose', 'tell more in the log (stderr)'],
  ['--json', 'events as JSON lines on stdout'],
  ['--dry-run', 'print what would run, and leave'],
]

/** What `--help` shows. */
const COMMON = ['--env', '--algo', '--set', '--data-dir', '--lan', '--until', '--json', '--dry-run', '--help-all']

/** Flags that may come more than once. */
const REPEATABLE = ['--set', '--listen', '--announce']

/** They say how this command prints and are no settings of the daemon. */
const OF_THE_LINE = ['config', 'quiet', 'verbose', 'json', 'dry-run', 'help-all']

export interface PeerFlags {
  /** What is no flag: the addresses of `join`. */
  readonly words: readonly string[]
  /** Flags that there are not, and words where none belong; told together with what else is wrong. */
  readonly faults: readonly Fault[]
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
  addHelpAll(command, COMMON)
  // Commander would stop at the first.
  command.allowUnknownOption().allowExcessArguments()
}

/** `--help` shows the `common` flags, so that it fits a small terminal; `--help-all` shows every flag. */
export function addHelpAll(command: Command, common: readonly string[]): void {
  let all = false
  command.addOption(new Option('--help-all', 'show every flag; these are the common ones'))
  command.on('option:help-all', () => {
    all = true
    command.help()
  })
  command.configureHelp({
    visibleOptions: ({ options }) => options.filter((option) => !option.hidden && (all || common.includes(option.long ?? ''))),
  })
}

export function peerFlags(command: Command): PeerFlags {
  const given: Record<string, unknown> = {}
  for (const option of command.options) {
    const name = option.attributeName()
    if (command.getOptionValueSource(name) !== 'cli') continue
    const value: unknown = command.getOptionValue(name)
    // `--http` and `--no-http` share a name; false says which was given.
    if (option.negate === (value === false)) given[option.long?.slice(2) ?? name] = option.negate ? true : value
  }
  return {
    ...readWords(command),
    config: typeof given.config === 'string' ? given.config : null,
    quiet: given.quiet === true,
    verbose: given.verbose === true,
    json: given.json === true,
    dryRun: given['dry-run'] === true,
    settings: Object.fromEntries(Object.entries(given).filter(([name]) => !OF_THE_LINE.includes(name))),
  }
}

/** Commander leaves in `args` what it does not know. The word after an unknown flag may be the flag's value and counts only where it is an address. */
function readWords(command: Command): Pick<PeerFlags, 'words' | 'faults'> {
  const takesWords = command.registeredArguments.length > 0
  const words: string[] = []
  const faults: Fault[] = []
  let afterFlag = false
  for (const word of command.args) {
    const isFlag = word.startsWith('-') && word !== '-'
    if (word === '--') continue
    if (isFlag) faults.push({ code: 'usage', message: unknownFlag(command, word) })
    else if (takesWords && !(afterFlag && 'fault' in readAddress(word, 'dial') && !looksLikeInvitation(word))) words.push(word)
    else if (!afterFlag)
      faults.push({
        code: 'usage',
        message: `${command.name()} takes no more arguments, so "${word}" is too many; see grapevine ${command.name()} --help.`,
      })
    afterFlag = isFlag && !word.includes('=')
  }
  if (takesWords && words.length === 0) {
    const message = `${command.name()} needs an address: paste the line that another peer printed, or write HOST:PORT.`
    faults.push({ code: 'usage', message })
  }
  return { words, faults }
}

function unknownFlag(command: Command, word: string): string {
  const [name = word] = word.split('=')
  const known = command.options.flatMap((option) => (option.hidden ? [] : (option.long ?? [])))
  if (known.includes(name)) {
    const isSwitch = command.options.some(({ long, required }) => long === name && !required)
    if (isSwitch && name !== word) return `${name} takes no value; write ${name} alone.`
    // Everywhere else commander has taken it.
    return `${word} comes after a bare --, where nothing is a flag; leave that -- out.`
  }
  if (name === '--resume') return '--resume goes with start: grapevine start --resume finds the swarm by itself.'
  if (FOUNDING.some(([flags]) => flags.startsWith(`${name} `))) return `${name} is decided by the run that you join; leave it out.`
  const [close] = nearest(name, [...known, '--help'], 1)
  const hint = close === undefined ? `see grapevine ${command.name()} --help.` : `did you mean ${close}?`
  return `There is no flag ${word} of ${command.name()}; ${hint}`
}
