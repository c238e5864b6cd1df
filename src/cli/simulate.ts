/** `grapevine simulate`: a whole swarm in this process, on virtual time. */
import { type Command, Option } from 'commander'
import { type AddCommand, examples } from './command.ts'
import { addHelpAll } from './peer-options.ts'

const FLAGS: readonly [string, string][] = [
  ['--nodes <n>', 'peers (8)'],
  ['--rounds <n>', 'averaging rounds (100)'],
  ['--until-return <r>', "end when the peers' mean return reaches this"],
  ['--mode <name>', 'lockstep or free (free where time matters)'],
  ['--env <id>', 'what to learn: one of `grapevine envs`'],
  ['--algo <id>', 'how to learn (a2c)'],
  ['--preset <name>', 'which tuned settings (default)'],
  ['--set <key=value>', 'a hyper-parameter, or minPeriodMs; repeatable'],
  ['--strategy <name>', 'how peers average, as of `start` (auto)'],
  ['--partner <rule>', 'with whom: all, random, matching, exponential, ring'],
  ['--codec <name>', 'how parameters travel, as of `start` (f32)'],
  ['--period <updates>', 'updates between averaging rounds'],
  ['--robust <rule>', 'against liars: clip, median, trimmed, none (clip)'],
  ['--moments <policy>', "optimiser's moments at a mix: local, averaged, reset (local)"],
  ['--outer <step>', 'momentum over mixes: nesterov, none (none)'],
  ['--share-experience <x>', "learn from others' experience, up to this share"],
  ['--learning <on|off>', 'off: averaging only (on)'],
  ['--init <name>', 'shared, or independent: N(0,1) each (shared)'],
  ['--dim <n>', 'with --learning off: size of a replica (1000)'],
  ['--update-time <t>', 'virtual time of one update (1ms)'],
  ['--loss <p>', 'probability that a message or exchange fails (0)'],
  ['--delay <rounds>', 'push-sum in lock step: rounds on the way, 2 or 1-4'],
  ['--latency <t>', 'time from peer to peer: 20ms, or 10ms-50ms'],
  ['--bandwidth <rate>', "of each peer's link: 10Mbit/s"],
  ['--slow <n:k>', 'so many peers are k times slower'],
  ['--hostile <n:kind>', 'so many peers attack, such as 1:sign-flip'],
  ['--scenario <file>', 'YAML: what goes wrong, and when'],
  ['--seed <n>', 'of everything that is drawn (1)'],
  ['--name <text>', 'what to call the run'],
  ['--report <file>', 'write a page with curves, as HTML'],
  ['--http <addr:port>', 'show it live on a page, such as 127.0.0.1:8080'],
  ['--verbose', 'with --json: each mix as an event, too'],
  ['--json', 'events as JSON lines on stdout, the summary last'],
]

/** What `--help` shows. */
const COMMON = [
  '--nodes',
  '--rounds',
  '--until-return',
  '--env',
  '--algo',
  '--loss',
  '--latency',
  '--scenario',
  '--seed',
  '--json',
  '--report',
  '--help-all',
]

/** They say how this command prints and are no settings of the simulation. */
const OF_THE_LINE = ['json', 'verbose', 'report', 'http', 'help-all']

export const addSimulate: AddCommand = (program, { io, version }, finish) => {
  const command = program.command('simulate').description('Simulate a swarm in one process; the same seed, the same result.')
  for (const [flags, description] of FLAGS) {
    const option = new Option(flags, description)
    if (option.long === '--set') option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value])
    command.addOption(option)
  }
  addHelpAll(command, COMMON)
  command.addHelpText(
    'after',
    examples('grapevine simulate --nodes 16 --until-return 475', 'grapevine simulate --nodes 8 --latency 20ms-80ms --loss 0.1 --slow 1:10'),
  )
  command.action(async () => {
    const { simulateInForeground } = await import('./run-simulation.ts')
    const given = givenFlags(command)
    finish(
      await simulateInForeground(
        Object.fromEntries(Object.entries(given).filter(([name]) => !OF_THE_LINE.includes(name))),
        {
          json: given.json === true,
          verbose: given.verbose === true,
          report: typeof given.report === 'string' ? given.report : null,
          http: typeof given.http === 'string' ? given.http : null,
        },
        { io, version },
      ),
    )
  })
}

/** Under the flags' names, without the dashes. */
function givenFlags(command: Command): Record<string, unknown> {
  const given = command.options.filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
  return Object.fromEntries(given.map((option) => [option.long!.slice(2), command.getOptionValue(option.attributeName())]))
}
