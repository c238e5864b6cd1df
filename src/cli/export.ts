/** `grapevine export PATH`: writes a trained policy for other programs. */
import { harmless } from '../observe/format.ts'
import { GrapevineError } from '../util/errors.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'
import { addSavedArguments, savedPolicy } from './saved.ts'

interface Flags {
  readonly of: string
  readonly format: string
  readonly out?: string
  readonly env?: string
  readonly network?: string
  readonly json?: boolean
}

export const addExport: AddCommand = (program, { io }, finish) => {
  const command = addSavedArguments(program.command('export'))
    .description('Write a trained policy as a file that other programs read.')
    .option('--format <name>', 'safetensors, onnx or tfjs (safetensors)', 'safetensors')
    .option('--out <file>', 'where to; a folder for tfjs')
    .option('--json', 'one JSON object')
    .addHelpText(
      'after',
      examples('grapevine export ~/.grapevine/default --out policy.safetensors', 'grapevine export ./run --format onnx --out policy.onnx'),
    )
  command.action(async (path: string, { of, env, format, out, network, json }: Flags) => {
    const { EXPORT_FORMATS, exportPolicy } = await import('../node/export-policy.ts')
    const chosen = EXPORT_FORMATS.find((name) => name === format)
    if (chosen === undefined) throw new GrapevineError('usage', 'local', `--format must be ${EXPORT_FORMATS.join(', ')}, not "${format}".`)
    if (out === undefined) throw new GrapevineError('usage', 'local', 'export needs --out: the file to write (for tfjs, the folder).')
    const policy = await savedPolicy(path, { of, ...(env === undefined ? {} : { env }) }, io.err)
    const { facts } = policy
    const undescribed = facts.network.own !== undefined && facts.graph === undefined
    const needed = network !== undefined || of === 'mean' || chosen === 'tfjs' || (chosen === 'onnx' && undescribed)
    const engine = needed ? await (await import('../node/own-network.ts')).registerSavedNetwork(facts.network, network ?? null) : null
    const { evaluation, lacking } = await exportPolicy(policy, chosen, out, { engine, evaluate: of === 'mean' })
    if (lacking !== null) io.err.write(`grapevine: ${lacking}\n`)
    const { environment, version, returnMean } = facts
    const report = { out, format, from: policy.from, environment: environment.id, version, returnMean, evaluation }
    const mean = evaluation === null ? '' : `; mean return ${evaluation.mean.toFixed(1)} over ${evaluation.episodes} episodes`
    io.out.write(
      json
        ? `${JSON.stringify(report)}\n`
        : `wrote ${harmless(out)}: ${harmless(environment.id)}, version ${version}, from ${policy.from}${mean}\n`,
    )
    finish(DONE)
  })
}
