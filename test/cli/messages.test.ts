/** What a person reads who gives a flag a value that it cannot have: one sentence each, and exit code 2. `usage.test.ts` has misspelt words. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { run } from '../../src/cli/main.ts'
import { fakeIo } from './fake.ts'

const folder = mkdtempSync(join(tmpdir(), 'gv-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const nothing = join(folder, 'none')
const words = join(folder, 'words')
writeFileSync(words, 'hello\n')
const long = join(folder, 'long')
writeFileSync(long, `#${'x'.repeat(1_048_576)}`)
const empty = join(folder, 'empty')
mkdirSync(empty)
const PEER = '12D3KooWMLKFPft58ippDgyk6gsgzcvzNwHqWmL7PeJV4dGGzbme'

async function said(args: readonly string[]): Promise<[code: number, err: string]> {
  const io = fakeIo()
  const code = await run(args, io)
  return [code, io.written.err]
}

describe('one sentence for each wrong value', () => {
  const cases: [args: string, sentence: string][] = [
    ['start --max-memory 3', '--max-memory must be from 256MiB to 1024GiB, such as 2GiB, not "3".'],
    ['start --max-memory 9999GiB', '--max-memory must be from 256MiB to 1024GiB, such as 2GiB, not "9999GiB".'],
    ['start --name ', '--name must be 1 to 64 printable characters, not "".'],
    ['start --until tomorrow', '--until must be solved, steps=N or minutes=M, not "tomorrow".'],
    ['start --until steps=0', '--until steps must be a whole number from 1 to 9007199254740991, not "0".'],
    ['start --until minutes=-1', '--until minutes must be a number above 0 and at most 525600, not "-1".'],
    ['start --set outerLearningRate=1', 'outerLearningRate (--set) needs --outer nesterov.'],
    ['start --set consensusTarget=0.1', 'consensusTarget (--set) needs --period auto.'],
    ['start --set horizonSteps=x', 'horizonSteps (--set) must be a whole number from 1 to 9007199254740991, not "x".'],
    ['start --set gamma', '--set must be KEY=VALUE, not "gamma".'],
    ['start --metrics excel', '--metrics names no file of metrics known here: "excel"; choose one of tensorboard, csv.'],
    ['start --nice 20', '--nice must be a whole number from 0 to 19, not "20".'],
    ['start --threads 3', '--threads must be a whole number from 1 to 2, or auto, not "3".'],
    [
      'start --announce 0.0.0.0:4001',
      '--announce must be an address that leads others here, and /ip4/0.0.0.0/tcp/4001 stands for every interface; write that of one.',
    ],
    [
      'start --announce [::]:4001',
      '--announce must be an address that leads others here, and /ip6/::/tcp/4001 stands for every interface; write that of one.',
    ],
    ['join 127.0.0.1:1 --resume', '--resume goes with start: grapevine start --resume finds the swarm by itself.'],
    [
      'start --observe',
      '--observe follows a run of others, and start founds a new one with nobody to follow: grapevine join ADDRESS --observe.',
    ],
    [
      `start --network ${nothing}`,
      `The module ${nothing} cannot serve as a network (--network): it cannot be read (ENOENT: no such file or directory, open '${nothing}').`,
    ],
    ['start --server x', '--server must be the id of a peer (12D3KooW...), not "x".'],
    [`start --server ${PEER}`, '--server goes with --strategy server only; leave it out.'],
    ['start --codec f64', '--codec names no codec known here: "f64"; did you mean f16?'],
    ['start --preset nope', 'There is no preset "nope" of a2c for CartPole-v1; there is: default.'],
    [
      `start --swarm-key ${nothing}`,
      `Cannot read the swarm key (--swarm-key) in ${nothing}: ENOENT: no such file or directory, open '${nothing}'.`,
    ],
    [
      `start --allow ${nothing}`,
      `Cannot read the allow-list (--allow) in ${nothing}: ENOENT: no such file or directory, open '${nothing}'.`,
    ],
    ['start --eval-every 0', '--eval-every must be a whole number from 1 to 9007199254740991, not "0".'],
    ['start --period 0', '--period must be a whole number from 1 to 1000000, or auto, not "0".'],
    ['export here', 'export needs --out: the file to write (for tfjs, the folder).'],
    ['eval', 'eval needs <path>: a data folder, a checkpoint, or what export wrote; see grapevine eval --help.'],
    ['completion', 'completion needs <shell>: bash, zsh, fish; see grapevine completion --help.'],
    ['eval . --episodes 0', '--episodes must be a whole number from 1 to 1000000, not "0".'],
    ['export . --format pkl --out x', '--format must be safetensors, onnx, tfjs, not "pkl".'],
    ['peers --for 1h', '--for and --why belong to --ban PEER.'],
    ['simulate --nodes 0', '--nodes must be a whole number from 1 to 4096, not "0".'],
    ['simulate --rounds 1.5', '--rounds must be a whole number from 1 to 1000000, not "1.5".'],
    ['simulate --latency 50ms-10ms', '--latency goes from more to less in "50ms-10ms".'],
    ['simulate --loss 1', '--loss must be a probability from 0 to below 1, not "1".'],
    [
      'simulate --bandwidth 3bananas',
      '--bandwidth must be a rate with one of the units kbit/s, Mbit/s, Gbit/s, such as 10Mbit/s, not "3bananas".',
    ],
    [
      `simulate --report ${nothing}/x`,
      `Cannot write the report to ${nothing}/x (--report): ENOENT: no such file or directory, open '${nothing}/x'.`,
    ],
    [`simulate --scenario ${nothing}`, `Cannot read the scenario ${nothing}: ENOENT: no such file or directory, open '${nothing}'.`],
    ['completion tcsh', 'There is no completion for tcsh; did you mean bash?'],
    ['start --data-dir ', '--data-dir must be a folder, not "".'],
    ['start --resume ', '--resume must be a data folder, not "".'],
    ['start --network ', '--network must be the file of a module, not "".'],
    ['start --swarm-key ', '--swarm-key must be a file, not "".'],
    [`start --swarm-key ${words}`, `${words} is no swarm key: make one with grapevine keygen, or copy the file of the swarm again.`],
    [`start --swarm-key ${long}`, `Cannot read the swarm key (--swarm-key) in ${long}: it is larger than 1048576 bytes.`],
    [
      `start --allow ${words}`,
      `Line 1 of ${words} (--allow) is no peer id: each line is one, such as 12D3KooW..., as grapevine status prints it.`,
    ],
    [`start --config ${long}`, `Cannot read the settings in ${long} (--config): it is larger than 1048576 bytes.`],
    [
      `start --init-from ${words}`,
      `Cannot begin with the weights in ${words} (--init-from): This is no safetensors file that can be read: it has 6 bytes.`,
    ],
    ['start --threshold high', '--threshold must be a number, not "high".'],
    [
      'start --until solved --env Pendulum-v1',
      '--until solved needs --threshold: no mean return counts as solved for Pendulum-v1 by itself.',
    ],
    ['start --http localhost:8080', '--http must be ADDRESS:PORT with an IP address, such as 127.0.0.1:8080, not "localhost:8080".'],
    [`start${' --listen 127.0.0.1:4001'.repeat(65)}`, '--listen takes 1 to 64 addresses, not 65.'],
    ['start --actors 2 --deterministic', '--deterministic needs --actors 0: threads differ in their order each time.'],
    ['start --set env.colour=red', 'CartPole-v1 has no option "colour"; it has gravity, cartMass, poleMass, length, force, tau.'],
    ['start --set env.gravity=heavy', 'Option "gravity" of CartPole-v1 must be a number, but it is "heavy".'],
    ['start --set env.maxEpisodeSteps=0', 'Option "maxEpisodeSteps" of CartPole-v1 must be an integer of at least 1, or null for none.'],
    [
      'start --algo apex --env Pendulum-v1',
      'apex chooses among a number of actions, and those of this environment are continuous; use an actor-critic algorithm such as a2c.',
    ],
    ['start --partner matching --strategy broadcast', '--partner matching does not go with --strategy broadcast; choose one of all, ring.'],
    ['start --partner ring --strategy server', '--strategy server has one partner for all; name it with --server.'],
    [
      'start --codec subset:0.1 --strategy push-sum',
      '--strategy push-sum sends whole replicas, and --codec subset:0.1 sends a part; choose f32, f16 or int8.',
    ],
    [
      'start --robust median --strategy pairwise',
      '--robust median compares several neighbours at a time and pairwise has one; choose clip, or --strategy broadcast.',
    ],
    ['peers --ban x --unban y', '--ban and --unban contradict each other; give one of them.'],
    ['peers --ban x --for ever', '--for must be a time such as 30m, 1h or 7d, not "ever".'],
    [
      'simulate --strategy tree',
      '--strategy names no strategy known here: "tree"; choose one of auto, broadcast, pairwise, push-sum, server, none.',
    ],
    [
      'simulate --init independent',
      '--init independent is for averaging alone; add --learning off: peers that learn must start from the same weights.',
    ],
    ['simulate --dim 100', '--dim is the size of replicas that do not learn; add --learning off.'],
    ['simulate --dim 100 --learning off --env CartPole-v1', '--dim and --env both say how large a replica is; leave one out.'],
    ['simulate --until-return 5 --learning off', '--until-return is never reached with --learning off.'],
    ['simulate --mode lockstep --latency 5ms', '--latency needs time, and in lock step none passes between peers; add --mode free.'],
    ['simulate --hostile 2', '--hostile must be PEERS:KIND, such as 1:sign-flip, not "2".'],
    ['simulate --hostile 2:sign-flop', '--hostile names no attack known here: "sign-flop"; did you mean sign-flip?'],
    ['simulate --hostile 8:nan --nodes 8', '--hostile names 8 peers of 8; at least one must be honest.'],
    ['simulate --slow 3', '--slow must be PEERS:TIMES, such as 1:10 for one peer that is ten times slower, not "3".'],
    ['simulate --slow 8:10 --nodes 8', '--slow names 8 peers of 8; at least one must keep the pace.'],
    ['simulate --delay 4-1', '--delay must be rounds, from 0 to 100, such as 2 or 1-4, not "4-1".'],
    ['simulate --delay 2', '--delay is of messages that nobody waits for; add --strategy push-sum, or take --latency.'],
    ['simulate --delay 2 --strategy push-sum --mode free', '--delay counts rounds of lock step; where time passes, take --latency.'],
  ]
  for (const [args, sentence] of cases) {
    test(args.replaceAll(folder, '.'), async () => {
      assert.deepEqual(await said(args.split(' ')), [2, `grapevine: ${sentence}\n`])
    })
  }
})

describe('what is right in form and cannot be done ends with 1', () => {
  const cases: [args: string, sentence: string][] = [
    [
      `keygen ${words}`,
      `${words} exists already and is not written over; give the new key another name, as in grapevine keygen other.key.`,
    ],
    [`keygen ${nothing}/x`, `The key could not be written to ${nothing}/x: ENOENT: no such file or directory, open '${nothing}/x'.`],
    [`eval ${nothing}`, `There is nothing at ${nothing}; name a data folder, a checkpoint or an export.`],
    [`eval ${empty}`, `There is no checkpoint in ${empty}; name the data folder of a run that has trained.`],
    [
      `export ${words} --out ${words}`,
      `${words} is no checkpoint or export that can be used (it has no checksum); name a data folder, a checkpoint or an export.`,
    ],
    [`report ${nothing}`, `There is nothing at ${nothing}; name a data folder, a checkpoint or an export.`],
    [`report ${empty}`, `There is no run in ${empty} to report on; name the data folder of one that has trained.`],
    [`start --resume ${nothing}`, `There is no folder ${nothing}; name the data folder of an earlier run.`],
    [`status --data-dir ${empty}`, `No daemon runs in ${empty}; start one there with --data-dir ${empty}, or name another folder.`],
  ]
  for (const [args, sentence] of cases) {
    test(args.replaceAll(folder, '.'), async () => {
      assert.deepEqual(await said(args.split(' ')), [1, `grapevine: ${sentence}\n`])
    })
  }
})

test('a control character in a name is refused, and the terminal gets a space instead', async () => {
  assert.deepEqual(await said(['start', '--name', 'a\u0007']), [2, 'grapevine: --name must be 1 to 64 printable characters, not "a ".\n'])
})

test('all that is wrong with a scenario comes at once, each with its line', async () => {
  const scenario = join(folder, 'trouble.yaml')
  writeFileSync(
    scenario,
    '- { at: 2s, do: crush, peers: 1 }\n- { at: 1s, do: crash, peers: 9 }\n- { at: 3 apples, do: pause, peers: x }\n- { at: 4s }\n- 5\n',
  )
  const [code, err] = await said(['simulate', '--nodes', '4', '--scenario', scenario])
  assert.equal(code, 2)
  assert.deepEqual(err.replaceAll(`grapevine: ${scenario}, `, '').trimEnd().split('\n'), [
    'line 1: "crush" is no fault known here; did you mean crash?',
    'line 2: "peers" names peer 9, and there are 0 to 3.',
    'line 2: The times go back: this step is at "1s", after a later one.',
    'line 3: "at" must be a time with one of the units ms, s, min, h, not "3 apples".',
    'line 3: "peers" must name peers, such as 3, 0-31 or [1, 4-5], not "x".',
    'line 3: "for" is missing.',
    'line 4: "do" is missing: there are partition, flap, half-open, heal, crash, restart, pause, slow, latency, bandwidth, loss, duplicate, reorder, skew.',
    'line 5: A step is a map with at, do and what belongs to it.',
  ])
})

test('an own environment that throws while it is imported', async () => {
  const module = join(folder, 'broken.ts')
  writeFileSync(module, 'throw new Error("no such table")\n')
  assert.deepEqual(await said(['start', '--env', module]), [
    2,
    `grapevine: The module ${module} cannot serve as an environment: importing it threw "no such table".\n`,
  ])
})
