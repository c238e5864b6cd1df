/** `grapevine completion SHELL`: a script that completes commands and flags in bash, zsh or fish, made from the commands themselves. */
import { type Command, Option } from 'commander'
import { GrapevineError } from '../util/errors.ts'
import { nearest } from '../util/nearest.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** What may follow a flag; after others the shell offers files. */
type Values = Readonly<Record<string, readonly string[]>>

async function knownValues(): Promise<Values> {
  const { listEnvironments } = await import('../envs/registry.ts')
  const { ALGORITHMS } = await import('../learn/hyperparameters.ts')
  return {
    '--env': listEnvironments().map(({ id }) => id),
    '--algo': ALGORITHMS,
    '--engine': ['wasm', 'tfjs'],
    '--until': ['solved', 'steps=', 'minutes='],
  }
}

interface Word {
  readonly name: string
  readonly about: string
}

export const addCompletion: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('completion')
    .description('Print a script that completes commands and flags: bash, zsh, fish.')
    .argument('<shell>', Object.keys(SHELLS).join(', '))
    .addHelpText(
      'after',
      examples(
        'source <(grapevine completion bash)',
        'grapevine completion zsh > ~/.zfunc/_grapevine',
        'grapevine completion fish | source',
      ),
    )
  command.action(async (shell: string) => {
    const script = Object.entries(SHELLS).find(([name]) => name === shell)?.[1]
    if (script === undefined) {
      const [close] = nearest(shell, Object.keys(SHELLS), 1)
      const hint = close === undefined ? `choose one of ${Object.keys(SHELLS).join(', ')}` : `did you mean ${close}?`
      throw new GrapevineError('usage', 'local', `There is no completion for ${shell}; ${hint}${close === undefined ? '.' : ''}`)
    }
    io.out.write(`${script(program, await knownValues())}\n`)
    finish(DONE)
  })
}

function commandsOf(program: Command): readonly Word[] {
  return program.commands.map((command) => ({ name: command.name(), about: command.description() }))
}

function flagsOf(command: Command): readonly Word[] {
  const help = new Option('--help', 'show this help')
  const shown = [...command.options, help].filter((option) => !option.hidden && option.long !== undefined)
  return shown.map((option) => ({ name: option.long!, about: option.description }))
}

function bashScript(program: Command, known: Values): string {
  const cases = program.commands.map((command) => {
    const flags = flagsOf(command).map(({ name }) => name)
    return `    ${command.name()}) words="${flags.join(' ')}" ;;`
  })
  const values = Object.entries(known).map(([flag, words]) => `    ${flag}) words="${words.join(' ')}" ;;`)
  return `_grapevine() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" words=""
  case "$previous" in
${values.join('\n')}
  esac
  if [ -z "$words" ]; then
    if [ "$COMP_CWORD" -eq 1 ]; then
      words="${commandsOf(program)
        .map(({ name }) => name)
        .join(' ')}"
    else case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    esac; fi
    case "$current" in -*) ;; *) [ "$COMP_CWORD" -gt 1 ] && words="" ;; esac
  fi
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); else COMPREPLY=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _grapevine grapevine`
}

function zshScript(program: Command, known: Values): string {
  const quoted = ({ name, about }: Word) => `'${name}:${about.replaceAll("'", '’').replaceAll(':', '\\:')}'`
  const cases = program.commands.map((command) => `    ${command.name()}) words=(${flagsOf(command).map(quoted).join(' ')}) ;;`)
  const values = Object.entries(known).map(([flag, words]) => `    ${flag}) compadd -- ${words.join(' ')}; return ;;`)
  return `#compdef grapevine
_grapevine() {
  local -a words_of_command
  case "\${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  if (( CURRENT == 2 )); then
    words_of_command=(${commandsOf(program).map(quoted).join(' ')})
    _describe command words_of_command
    return
  fi
  if [[ "\${words[CURRENT]}" != -* ]]; then _files; return; fi
  case "\${words[2]}" in
${cases.map((line) => line.replace(') words=', ') words_of_command=')).join('\n')}
  esac
  _describe flag words_of_command
}
if [ "$funcstack[1]" = "_grapevine" ]; then _grapevine "$@"; else compdef _grapevine grapevine; fi`
}

function fishScript(program: Command, known: Values): string {
  const quoted = (text: string) => `'${text.replaceAll("'", '’')}'`
  const lines = commandsOf(program).map(
    ({ name, about }) => `complete -c grapevine -f -n __fish_use_subcommand -a ${name} -d ${quoted(about)}`,
  )
  for (const command of program.commands) {
    for (const { name, about } of flagsOf(command)) {
      const values = known[name]
      const given = values === undefined ? '' : ` -x -a ${quoted(values.join(' '))}`
      lines.push(`complete -c grapevine -n '__fish_seen_subcommand_from ${command.name()}' -l ${name.slice(2)} -d ${quoted(about)}${given}`)
    }
  }
  return lines.join('\n')
}
