/**
 * The command line: finds the command, lets it run, and turns whatever went wrong into sentences on stderr (with --json also an `error`
 * event on stdout) and an exit code.
 */
import { readFile } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import { harmless } from '../observe/format.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'
import { type Context, examples } from './command.ts'
import { addCompletion } from './completion.ts'
import { addEnvs } from './envs.ts'
import { addEval } from './eval.ts'
import { BAD_USAGE, DONE, exitCodeOf } from './exit.ts'
import { addExport } from './export.ts'
import { addInvite } from './invite.ts'
import { type Io, processIo } from './io.ts'
import { addJoin } from './join.ts'
import { addKeygen } from './keygen.ts'
import { LINGER_MS } from './limits.ts'
import { addPause, addResume } from './pause.ts'
import { addPeers } from './peers.ts'
import { addReport } from './report.ts'
import { addSimulate } from './simulate.ts'
import { addStart } from './start.ts'
import { addStatus } from './status.ts'
import { addStop } from './stop.ts'

/** Resolves with the exit code. `takeOver`: see processIo. */
export async function main(argv: readonly string[], takeOver: () => void): Promise<number> {
  const code = await run(argv, processIo(takeOver))
  // It is over: a signal now changes nothing.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(code))
  // Nothing should be left running; a stray handle must not keep the process.
  setTimeout(() => process.exit(code), LINGER_MS).unref()
  return code
}

export async function run(argv: readonly string[], io: Io): Promise<number> {
  let code = DONE
  const program = buildProgram({ io, version: await packageVersion() }, (given) => {
    code = given
  })
  try {
    if (argv.length === 0) program.outputHelp({ error: true })
    else await program.parseAsync(argv, { from: 'user' })
    return argv.length === 0 ? BAD_USAGE : code
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return DONE
      return report(new GrapevineError('usage', 'local', usageMessage(error, program, argv)), argv, io)
    }
    return report(error, argv, io)
  }
}

function buildProgram(context: Context, finish: (code: number) => void): Command {
  const { out, err } = context.io
  const program = new Command('grapevine')
    .description('Reinforcement learning on a swarm of equal peers, with nobody in the middle.')
    .version(context.version, '--version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .exitOverride()
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      // Errors are told once, below.
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(80, out.columns),
      getErrHelpWidth: () => Math.min(80, err.columns),
    })
    .addHelpText('after', examples('grapevine start --help'))
  for (const add of [
    addStart,
    addJoin,
    addStatus,
    addStop,
    addPause,
    addResume,
    addInvite,
    addKeygen,
    addPeers,
    addEval,
    addExport,
    addReport,
    addSimulate,
    addEnvs,
    addCompletion,
  ])
    add(program, context, finish)
  for (const command of program.commands) command.helpOption('-h, --help', 'show this help')
  // One line for each command, so that the list fits a small terminal. Set last: commands that are added later would take it over.
  program.configureHelp({ subcommandTerm: (command) => command.name(), visibleOptions: () => [] })
  return program
}

/** A sentence that says what is not understood and what was probably meant. */
function usageMessage(error: CommanderError, program: Command, argv: readonly string[]): string {
  const command = program.commands.find((candidate) => candidate.name() === argv[0])
  const [, word = ''] = /'([^']*)'/.exec(error.message) ?? []
  const help = `see ${['grapevine', command?.name(), '--help'].filter(Boolean).join(' ')}`
  switch (error.code) {
    case 'commander.unknownOption': {
      const flags = (command ?? program).options.filter((option) => !option.hidden).flatMap((option) => option.long ?? [])
      return `There is no flag ${word}${command === undefined ? '' : ` of ${command.name()}`}; ${oneOf(word, [...flags, '--help'], `${help}.`)}`
    }
    case 'commander.unknownCommand': {
      const names = program.commands.map((candidate) => candidate.name())
      return `There is no command "${word}"; ${oneOf(word, names, 'grapevine --help lists those that there are.')}`
    }
    case 'commander.missingArgument': {
      const meaning = command?.registeredArguments.find((argument) => argument.name() === word)?.description
      return `${command?.name()} needs <${word}>: ${meaning}; ${help}.`
    }
    case 'commander.optionMissingArgument':
      return `${word} needs a value; ${help}.`
    case 'commander.excessArguments':
      return `${command?.name()} takes no more arguments, so "${firstArgument(command, argv)}" is too many; ${help}.`
    default:
      return `${error.message.replace(/^error: /, '')}; ${help}.`
  }
}

function firstArgument(command: Command | undefined, argv: readonly string[]): string {
  return command?.args[0] ?? argv.at(-1) ?? ''
}

function oneOf(word: string, choices: readonly string[], otherwise: string): string {
  const [close] = nearest(word, choices, 1)
  return close === undefined ? otherwise : `did you mean ${close}?`
}

function report(error: unknown, argv: readonly string[], io: Io): number {
  const known = error instanceof GrapevineError
  const message = messageOf(error)
  if (argv.includes('--json')) io.out.write(`${JSON.stringify({ event: 'error', code: known ? error.code : 'failed', message })}\n`)
  for (const line of message.split('\n')) io.err.write(`grapevine: ${harmless(line)}\n`)
  // A fault of ours, not of the user: whoever looks for it needs the place.
  if (!known && error instanceof Error && error.stack !== undefined) io.err.write(`${error.stack}\n`)
  return exitCodeOf(error)
}

async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
