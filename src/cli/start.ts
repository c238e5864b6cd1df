/** `grapevine start`: founds a run and trains. */
import { type AddCommand, examples } from './command.ts'
import { addPeerOptions, peerFlags } from './peer-options.ts'

export const addStart: AddCommand = (program, context, finish) => {
  const command = program.command('start').description('Found a new run and train; others can join it.')
  addPeerOptions(command, true)
  command.addHelpText(
    'after',
    examples('grapevine start', 'grapevine start --lan --until solved', 'grapevine start --set learningRate=0.001 --json'),
  )
  command.action(async () => {
    const { launch } = await import('./launch.ts')
    finish(await launch('start', peerFlags(command), context))
  })
}
