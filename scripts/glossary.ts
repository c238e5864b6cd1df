/** `node scripts/glossary.ts`: prints docs/metrics.md, the glossary of everything that is measured, from the tables that the code uses. */
import { STATISTICS } from '../src/learn/statistics.ts'
import { COLUMNS } from '../src/observe/metric-files.ts'
import { METRICS, type MetricSpec } from '../src/observe/metric-specs.ts'

const cell = (text: string) => text.replaceAll('|', '\\|')
const row = (...cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`

export function glossary(): string {
  const metrics = Object.entries(METRICS as Readonly<Record<string, MetricSpec>>)
  return [
    '# What is measured',
    '',
    'Made by `node scripts/glossary.ts > docs/metrics.md` from the tables that the code uses; a test compares.',
    '',
    '## `/metrics`, for Prometheus',
    '',
    'The unit is in the name; `_ratio` has none. A metric whose value is not known is absent.',
    '',
    row('metric', 'kind', 'labels', 'meaning'),
    '|---|---|---|---|',
    ...metrics.map(([name, { kind, labels, help }]) =>
      row(`\`${name}\``, kind, labels.map((label) => `\`${label}\``).join(', ') || '-', help),
    ),
    '',
    '## `--metrics tensorboard,csv`',
    '',
    'A line every two seconds in the folder `metrics` of the data folder: event files for TensorBoard (`tensorboard --logdir FOLDER`; the step is',
    '`time/steps`) and a table as CSV, which has `unix_seconds` besides. Each start begins new files. An unknown value is left out, or empty.',
    '',
    row('name', 'meaning'),
    '|---|---|',
    ...Object.entries(COLUMNS).map(([name, meaning]) => row(`\`${name}\``, meaning)),
    '',
    '## Training statistics',
    '',
    'In the same files, as `grapevine_training{name}` and in `statistics` of `/api/curves`: of the last update. A table has those that were known when it began.',
    '',
    row('name', 'unit', 'meaning', 'of', 'in CleanRL'),
    '|---|---|---|---|---|',
    ...Object.entries(STATISTICS).map(([name, { meaning, unit, algorithms, cleanRl }]) =>
      row(`\`${name}\``, unit, meaning, algorithms?.join(', ') ?? 'all', cleanRl ?? '-'),
    ),
    '',
  ].join('\n')
}

if (import.meta.main) process.stdout.write(glossary())
