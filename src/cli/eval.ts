/** `grapevine eval PATH`: plays whole episodes with a trained policy. */
import { basename, dirname, resolve } from 'node:path'
import type { Engine } from '../learn/engine.ts'
import { harmless } from '../observe/format.ts'
import type { PolicyFile } from '../ports/policy.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'
import { GIF_FRAME_MS, GIF_PIXELS, MAX_EVAL_EPISODES, MAX_GIF_FRAMES } from './limits.ts'
import { addSavedArguments, hinted, savedPolicy, wholeFlag } from './saved.ts'

interface Flags {
  readonly of: string
  readonly episodes: string
  readonly seed: string
  readonly deterministic?: boolean
  readonly gif?: string
  readonly env?: string
  readonly network?: string
  readonly json?: boolean
}

export const addEval: AddCommand = (program, { io }, finish) => {
  const command = addSavedArguments(program.command('eval'))
    .description('Play whole episodes with a trained policy and tell the returns.')
    .option('--episodes <n>', 'how many (100)', '100')
    .option('--seed <n>', 'of environments and actions (1)', '1')
    .option('--deterministic', 'the most probable actions instead of samples')
    .option('--gif <file>', 'an animation of the first episode')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      examples('grapevine eval ~/.grapevine/default --deterministic', 'grapevine eval policy.safetensors --gif play.gif'),
    )
  command.action(async (path: string, { of, env, gif, network, json, ...flags }: Flags) => {
    const episodes = wholeFlag('--episodes', flags.episodes, 1, MAX_EVAL_EPISODES)
    const seed = wholeFlag('--seed', flags.seed, 0, 4_294_967_295)
    const deterministic = flags.deterministic === true
    const policy = await savedPolicy(path, { of, ...(env === undefined ? {} : { env }) }, io.err)
    const [{ createEngine }, { evaluatePolicy }, { registerSavedNetwork }] = await Promise.all([
      import('../learn/engines/create.ts'),
      import('../learn/evaluate-policy.ts'),
      import('../node/own-network.ts'),
    ])
    const engine = await createEngine(await registerSavedNetwork(policy.facts.network, network ?? null), { deterministic: true })
    const { returns, lengths, mean, deviation } = await hinted(() => evaluatePolicy(policy, engine, { episodes, deterministic, seed }))
    if (gif !== undefined) await writeGif(policy, engine, { deterministic, seed }, gif)
    const { environment, algorithm, version } = policy.facts
    const report = { environment: environment.id, algorithm, version, from: policy.from, episodes, deterministic, seed, mean, deviation }
    const text = `${harmless(environment.id)}, version ${version}, from ${policy.from}: mean return ${mean.toFixed(1)} ± ${deviation.toFixed(1)} over ${episodes} episodes`
    io.out.write(json ? `${JSON.stringify({ ...report, returns: [...returns], lengths: [...lengths] })}\n` : `${text}\n`)
    finish(DONE)
  })
}

async function writeGif(
  policy: PolicyFile,
  engine: Engine,
  how: { readonly deterministic: boolean; readonly seed: number },
  file: string,
): Promise<void> {
  const [{ playPictures }, { encodeGif }, { folderStorage }] = await Promise.all([
    import('../learn/play.ts'),
    import('../observe/gif.ts'),
    import('../node/storage.ts'),
  ])
  const pictures = playPictures(policy, engine, { ...how, width: GIF_PIXELS, height: GIF_PIXELS, maxFrames: MAX_GIF_FRAMES })
  const bytes = encodeGif(pictures, GIF_PIXELS, GIF_PIXELS, GIF_FRAME_MS)
  await folderStorage(dirname(resolve(file)), dirname(resolve(file))).write(basename(file), bytes)
}
