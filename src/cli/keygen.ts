/** `grapevine keygen`: makes the key of a private swarm. Whoever has the file may enter; without it nobody can even speak to its peers. */
import { open } from 'node:fs/promises'
import { systemRandom } from '../node/random.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { SWARM_KEY_BYTES } from '../wire/limits.ts'
import { encodeSwarmKey } from '../wire/swarm-key.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'
import { quoted } from './program-words.ts'

export const addKeygen: AddCommand = (program, { io }, finish) => {
  const command = program
    .command('keygen')
    .description('Make the key of a private swarm, for --swarm-key.')
    .argument('[file]', 'where to write it, readable by you only', 'swarm.key')
    .option('--json', 'one JSON object')
    .addHelpText('after', examples('grapevine keygen', 'grapevine start --lan --swarm-key swarm.key'))
  command.action(async (file: string, { json }: { json?: boolean }) => {
    const words = Uint32Array.from({ length: SWARM_KEY_BYTES / 4 }, () => systemRandom.uint32())
    await writeNew(file, encodeSwarmKey(new Uint8Array(words.buffer)))
    const name = quoted(file)
    const text = `wrote ${file}; copy it to every machine of the swarm, then: grapevine start --swarm-key ${name}, grapevine join ADDR --swarm-key ${name}`
    io.out.write(json ? `${JSON.stringify({ file })}\n` : `${text}\n`)
    finish(DONE)
  })
}

/** Never over another key: its swarm would be lost. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    const reason = messageOf(error)
    const message = exists
      ? `${path} exists already and is not written over; give the new key another name, as in grapevine keygen other.key.`
      : `The key could not be written to ${path}: ${reason}.`
    throw new GrapevineError('keygen', 'local', message, { path })
  }
}
