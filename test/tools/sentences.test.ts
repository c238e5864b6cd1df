/** The list of what a user may be told stays complete: every whole sentence in src has four words in a row, or all it has, in some test. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'

const root = join(import.meta.dirname, '../..')
const WORDS = 4

/** Files whose sentences are no refusals: help, figures and pages; and what the simulator's network says in the place of the real one. */
const OTHER_WORDS =
  /^src\/(observe\/(metric|report|self-contained|simulation)|cli\/pause\.ts|sim\/(memory-peer|lockstep-network|pending|clock)\.ts)/

/** What no test can bring about, by how it begins; each must still be there. */
const BEYOND_TESTS = [
  // Another machine: none here lacks SIMD.
  'This machine runs no WebAssembly SIMD',
  // Races, and threads or daemons that hang for longer than a test may wait.
  'Cannot lock the data folder',
  'The second thread of the engine has not answered',
  'The thread that steps',
  'The daemon in § is still there',
  'The request did not arrive in time',
  'Peer § kept us waiting',
  'Peer § sent its snapshot too slowly',
  'Peer § asks more often',
  // Reasons inside another sentence, which has its test.
  'It took more than',
  'It took too long',
  '§ does not answer',
  // For who refuses; who is refused reads another, which has its test.
  'Another process with the identity',
  // Faults of the program that are caught where they would do harm.
  'The Python bridge failed',
  'The simulation has not begun',
  'This peer does not run any more',
]

interface Sentence {
  readonly place: string
  /** What stands between its placeholders. */
  readonly chunks: readonly string[]
}

function spaced(text: string): string {
  return text.replaceAll('\\', '').replace(/\s+/g, ' ')
}

/** Literals that begin and end like a sentence and are neither help nor a fault of ours. */
function sentencesOf(path: string): Sentence[] {
  const file = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest, true)
  const found: Sentence[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /\.(description|option)$/.test(node.expression.getText(file))) {
      visit(node.expression)
      return
    }
    const chunks = ts.isStringLiteralLike(node)
      ? [node.text]
      : ts.isTemplateExpression(node)
        ? [node.head.text, ...node.templateSpans.map(({ literal }) => literal.text)]
        : []
    const whole = chunks.join('§')
    if (/^["§A-Z-].* .*\.$/s.test(whole) && chunks.join('').split(' ').length >= WORDS && !whole.endsWith('this is a bug of ours.')) {
      const { line } = file.getLineAndCharacterOfPosition(node.getStart(file))
      found.push({ place: `${path}:${line + 1}`, chunks })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

function isTold(chunks: readonly string[], tests: string): boolean {
  const parts = chunks.map((chunk) => spaced(chunk).trim().split(' '))
  const length = Math.min(WORDS, Math.max(...parts.map((words) => words.length)))
  return parts.some((words) =>
    words.some((_, at) => {
      const part = words.slice(at, at + length)
      return part.length === length && tests.includes(part.join(' ').replace(/[.,;:]$/, ''))
    }),
  )
}

test('every sentence that a user may be told stands in a test', () => {
  const own = 'test/tools/sentences.test.ts'
  const paths = globSync('test/**/*.ts', { cwd: root }).filter((path) => path !== own)
  const tests = paths.map((path) => spaced(readFileSync(join(root, path), 'utf8'))).join('\n')
  const sources = globSync('src/**/*.ts', { cwd: root }).filter((path) => !path.includes('assembly') && !OTHER_WORDS.test(path))
  const sentences = sources.flatMap(sentencesOf)
  assert.ok(sentences.length > 300, `${sentences.length} sentences were found`)
  const beginning = ({ chunks }: Sentence) => BEYOND_TESTS.find((begin) => chunks.join('§').startsWith(begin))
  const untold = sentences.filter((sentence) => beginning(sentence) === undefined && !isTold(sentence.chunks, tests))
  assert.deepEqual(
    untold.map(({ place, chunks }) => `${place} ${chunks.join('...')}`),
    [],
  )
  assert.deepEqual(new Set(sentences.map(beginning).filter((begin) => begin !== undefined)), new Set(BEYOND_TESTS))
})
