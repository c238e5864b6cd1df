/** Cases that need no processes: the tests that hold them run here too, on virtual time or forged bytes, and count as injections. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Case } from './case.ts'

const ROOT = join(import.meta.dirname, '../..')

function tested(number: number, title: string, files: readonly string[], pattern?: string): Case {
  return {
    number,
    title,
    run: async (lab) => {
      const named = pattern === undefined ? [] : [`--test-name-pattern=${pattern}`]
      const child = spawn(process.execPath, ['--test', '--test-reporter=tap', ...named, ...files], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const report = await text(child.stdout)
      const count = (name: string) => Number(new RegExp(`^# ${name} (\\d+)`, 'm').exec(report)?.[1] ?? Number.NaN)
      lab.injected = count('pass')
      lab.check(`${files.join(', ')}`, count('pass') > 0 && count('fail') === 0, { passed: count('pass'), failed: count('fail') })
    },
  }
}

export const TESTED: readonly Case[] = [
  tested(18, 'a message over our own limit', ['test/swarm/gossip.test.ts'], 'one byte more is refused'),
  tested(29, 'noise, damage and any split for every decoder', [
    'test/wire/fuzz.test.ts',
    'test/swarm/frame-guard.test.ts',
    'test/swarm/body.test.ts',
  ]),
]
