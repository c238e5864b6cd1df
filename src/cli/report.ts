/** `grapevine report PATH`: writes a page about a run that needs nothing else and can be mailed. */
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { harmless, plural } from '../observe/format.ts'
import { GrapevineError } from '../util/errors.ts'
import { type AddCommand, examples } from './command.ts'
import { DONE } from './exit.ts'
import { cannotWrite, writePage } from './page-file.ts'

const DEFAULT_OUT = 'report.html'
/** Bytes of a page in which its mark must stand. */
const MARK_BYTES = 1_024

export const addReport: AddCommand = (program, { io, version }, finish) => {
  const command = program
    .command('report')
    .description('Write a page about a run, with curves and tables, to be mailed.')
    .argument('<path>', 'a data folder, a checkpoint, or what export wrote')
    .option('--out <file>', `where to (${DEFAULT_OUT}); an older report is replaced`)
    .option('--json', 'one JSON object')
    .addHelpText('after', examples('grapevine report ~/.grapevine/default', 'grapevine report ./run --out cartpole.html'))
  command.action(async (path: string, { out = DEFAULT_OUT, json }: { out?: string; json?: boolean }) => {
    const { REPORT_GENERATOR, reportPage } = await import('../observe/report-page.ts')
    await requireReplaceable(out, REPORT_GENERATOR)
    const [{ gatherReport }, { pageParts }] = await Promise.all([import('./gather-report.ts'), import('./page-parts.ts')])
    const report = await gatherReport(path, version)
    const page = Buffer.from(reportPage(report, await pageParts('report-page')))
    await writePage(out, '--out', page)
    const { title, replica, record, missing } = report
    const points = Math.max(record?.curves.points.length ?? 0, record?.returns.points.length ?? 0)
    io.out.write(
      json
        ? `${JSON.stringify({ out, bytes: page.length, run: replica.run, steps: replica.steps, points, missing })}\n`
        : [
            `wrote ${harmless(out)}: ${harmless(title)}, ${plural(points, 'point')} of curves, ${Math.ceil(page.length / 1_000)} kB`,
            ...missing,
            '',
          ].join('\n'),
    )
    finish(DONE)
  })
}

/** Whatever else lies there was meant to stay. */
async function requireReplaceable(out: string, mark: string): Promise<void> {
  const before = await beginningOf(out)
  if (before === null || before === '' || before.includes(`content="${mark}"`)) return
  throw new GrapevineError('usage', 'local', `${resolve(out)} is there already and is no report; name another file with --out.`)
}

/** null: there is no such file. */
async function beginningOf(path: string): Promise<string | null> {
  try {
    const file = await open(path, 'r')
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MARK_BYTES), 0, MARK_BYTES, 0)
      return buffer.subarray(0, bytesRead).toString('utf8')
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw cannotWrite(path, '--out', error)
  }
}
