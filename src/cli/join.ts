/** `grapevine join ADDR...`: takes part in a run that others train. */
import { type AddCommand, examples } from './command.ts'
import { addPeerOptions, peerFlags } from './peer-options.ts'

export const addJoin: AddCommand = (program, context, finish) => {
  const command = program
    .command('join')
    .description('Join a run through one of its peers, and train with them.')
    .argument('[address...]', 'as another peer printed it, an invitation, or HOST:PORT')
  addPeerOptions(command, false)
  command.addHelpText('after', examples('grapevine join /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW...', 'grapevine join 192.168.1.5:4001 --lan'))
  command.action(async () => {
    const { launch } = await import('./launch.ts')
    finish(await launch('join', peerFlags(command), context))
  })
}
