/** What the command line says to a person who mistypes, and its exit codes: each case is a run of the real command. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { fakeIo } from './fake.ts'
import { grapevine } from './spawn.ts'

const home = mkdtempSync(join(tmpdir(), 'gv-'))
after(() => rmSync(home, { recursive: true, force: true }))

const faulty = join(home, 'faulty.yaml')
writeFileSync(faulty, 'env: CartPole-v1\nperiod: [')
const missing = join(home, 'none.yaml')
const missingModule = join(home, 'none.ts')
const settings = join(home, 'run.yaml')
writeFileSync(settings, 'algo: a2c\nperod: 3\nset:\n  gamma: 2\n')

describe('bad usage exits with 2 and says what was probably meant', { concurrency: 2 }, () => {
  const cases: [string[], string[]][] = [
    [['strat'], ['There is no command "strat"; did you mean start?']],
    [['xyzzyx'], ['There is no command "xyzzyx"; grapevine --help lists those that there are.']],
    [['start', '--', '--lan'], ['--lan comes after a bare --, where nothing is a flag; leave that -- out.']],
    [['start', '--', '--env=CartPole-v1'], ['--env=CartPole-v1 comes after a bare --, where nothing is a flag; leave that -- out.']],
    [['start', '--evn', 'CartPole-v1'], ['There is no flag --evn of start; did you mean --env?']],
    [['join', '127.0.0.1:4001', '--algo', 'a2c'], ['--algo is decided by the run that you join; leave it out.']],
    [['start', '--env'], ['--env <id> needs a value; see grapevine start --help.']],
    [['start', 'CartPole-v1'], ['start takes no more arguments, so "CartPole-v1" is too many; see grapevine start --help.']],
    [['join'], ['join needs an address: paste the line that another peer printed, or write HOST:PORT.']],
    [['start', '--env', 'CartPole-v2'], ['--env names no environment known here: "CartPole-v2"; did you mean CartPole-v1?']],
    [['join', '/ip4/127.0.0.1/tpc/4001'], ['"/ip4/127.0.0.1/tpc/4001" is no address to join: did you mean /ip4/127.0.0.1/tcp/4001?']],
    [
      ['start', '--algo', 'a2x', '--listen', '127.0.0.1', '--seed', '-1', '--set', 'gama=1'],
      [
        '--algo names no algorithm known here: "a2x"; did you mean a2c?',
        '--seed must be a whole number from 0 to 4294967295, not "-1".',
        '--listen has no valid address in "127.0.0.1": it names no port; write 127.0.0.1:PORT.',
      ],
    ],
    [
      ['start', '--evn', 'CartPole-v1', '--algo', 'a2x', '--lan=yes', '--config', missing],
      [
        'There is no flag --evn of start; did you mean --env?',
        '--lan takes no value; write --lan alone.',
        `Cannot read the settings in ${missing} (--config): ENOENT: no such file or directory, open '${missing}'.`,
        '--algo names no algorithm known here: "a2x"; did you mean a2c?',
      ],
    ],
    [
      ['start', '--env', missingModule, '--seed', 'x'],
      [
        `The module ${missingModule} cannot serve as an environment: it cannot be read (ENOENT: no such file or directory, open '${missingModule}').`,
        '--seed must be a whole number from 0 to 4294967295, not "x".',
      ],
    ],
    [
      ['join', '--fooooooooooo', '127.0.0.1:4001', '--evn', 'x', 'localhost'],
      [
        'There is no flag --fooooooooooo of join; see grapevine join --help.',
        'There is no flag --evn of join; did you mean --env?',
        '"localhost" is no address to join: it names no port; write localhost:PORT.',
      ],
    ],
    [['-x'], ['There is no flag -x; see grapevine --help.']],
    [['start', '--set', 'gama=1'], ['"gama" (--set) is no hyper-parameter of a2c; did you mean gamma?']],
    [
      ['start', '--config', settings],
      [
        `"perod" in ${settings} is no setting; did you mean period?`,
        'The hyper-parameter gamma of a2c must be a number from 0 to 1, not 2.',
      ],
    ],
  ]
  for (const [args, lines] of cases) {
    test(args.join(' '), async () => {
      assert.deepEqual(await grapevine(args, home), { code: 2, out: '', err: lines.map((line) => `grapevine: ${line}\n`).join('') })
    })
  }

  test('a settings file that is no YAML', async () => {
    const broken = await grapevine(['start', '--config', faulty], home)
    assert.equal(broken.code, 2)
    assert.match(broken.err, /^grapevine: Cannot read the settings in .*faulty\.yaml \(--config\): .* at line 2\b/)
  })

  test('with --json the fault is an event, too', async () => {
    const { code, out, err } = await grapevine(['start', '--env', 'CartPole', '--json'], home)
    const message = '--env names no environment known here: "CartPole"; did you mean CartPole-v1?'
    assert.deepEqual([code, JSON.parse(out), err], [2, { event: 'error', code: 'unknown_environment', message }, `grapevine: ${message}\n`])
  })

  test('nothing at all shows the help on stderr', async () => {
    const { code, out, err } = await grapevine([], home)
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /^Usage: grapevine /)
  })
})

describe('what needs no daemon', { concurrency: 2 }, () => {
  test('--version is the package’s', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'))
    assert.deepEqual(await grapevine(['--version'], home), { code: 0, out: `${version}\n`, err: '' })
  })

  for (const args of [[], ['start'], ['join'], ['status'], ['stop'], ['simulate'], ['envs']]) {
    test(`${args.join(' ')} --help fits a terminal of 80 by 24 and shows examples`, async () => {
      const io = fakeIo({ terminal: true })
      assert.equal(await run([...args, '--help'], io), 0)
      const lines = io.written.out.split('\n')
      assert.ok(lines.length <= 24, `${lines.length} lines`)
      assert.deepEqual(
        lines.filter((line) => line.length > 80),
        [],
      )
      assert.match(io.written.out, /\nExamples:\n {2}grapevine /)
      assert.doesNotMatch(io.written.out, /wait-for-peers/)
    })
  }

  for (const command of ['start', 'join']) {
    test(`${command} --help-all shows every flag`, async () => {
      const io = fakeIo({ terminal: true })
      assert.equal(await run([command, '--help-all'], io), 0)
      assert.match(io.written.out, /\n {2}--http <addr:port> +where the dashboard listens/)
      assert.match(io.written.out, /\n {2}--threshold <return> /)
      assert.doesNotMatch(io.written.out, /wait-for-peers/)
      const wide = io.written.out.split('\n').filter((line) => line.length > 80)
      assert.deepEqual(wide, [])
    })
  }

  test('envs lists what can be learned, as a table or as JSON lines', async () => {
    const { code, out } = await grapevine(['envs'], home)
    assert.equal(code, 0)
    assert.match(out, /^ID +SOLVED AT +DESCRIPTION\n/)
    assert.match(out, /\nCartPole-v1 +475 {2}\S/)
    const json = await grapevine(['envs', '--json'], home)
    const entries = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.deepEqual(Object.keys(entries[0]), ['id', 'description', 'threshold', 'options'])
    assert.equal(entries.find((entry) => entry.id === 'CartPole-v1').threshold, 475)
  })

  test('--dry-run prints the manifest and the settings, and leaves nothing behind', async () => {
    const args = ['start', '--dry-run', '--json', '--seed', '5', '--set', 'gamma=0.5', '--data-dir', join(home, 'never')]
    const { code, out } = await grapevine(args, home)
    assert.equal(code, 0)
    const { manifest, settings } = JSON.parse(out)
    assert.deepEqual([manifest.seed, manifest.algorithm.hyperparameters.gamma, settings.minPeriodMs], [5, 0.5, 200])
    assert.deepEqual(settings.dataDir, join(home, 'never'))
    const text = await grapevine(['start', '--dry-run'], home)
    assert.match(text.out, /^manifest:\n/)
    assert.doesNotMatch(text.out, /[&*]a\d/, 'what occurs twice is written twice')
    const join5 = await grapevine(['join', '10.0.0.1:4001', '--dry-run'], home)
    assert.match(join5.out, /^join:\n {2}- \/ip4\/10\.0\.0\.1\/tcp\/4001\nsettings:\n/)
  })

  test('status and stop without a daemon', async () => {
    for (const command of ['status', 'stop']) {
      const { code, err } = await grapevine([command], home)
      assert.equal(code, 1)
      assert.match(err, /^grapevine: No daemon runs in a default folder of .*; start one, or name its folder with --data-dir\.\n$/)
      const named = await grapevine([command, '--data-dir', home, '--json'], home)
      assert.equal(named.code, 1)
      assert.equal(JSON.parse(named.out).code, 'no_daemon')
    }
  })
})
