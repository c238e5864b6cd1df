/** The beacons' estimate of how far replicas are apart, against the simulator, which sees them all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consensusDistance, Sketcher } from '../../src/average/sketch.ts'
import { resolveSimulation } from '../../src/sim/options.ts'
import { runSimulation } from '../../src/sim/simulate.ts'

// With random pairs a peer that nobody drew can be so far from all others that it counts as invented (OUTLIER_RATIO), and is left out.
test('sketches of replicas that learn and mix in pairs estimate their consensus distance to 10 % (RMS over 60 seeds)', async () => {
  const rounds: { readonly exact: number; readonly replicas: readonly Float32Array[] }[] = []
  let initial = new Float32Array(0)
  await runSimulation(resolveSimulation({ nodes: 6, rounds: 6, period: 20, strategy: 'pairwise', partner: 'matching', seed: 5 }), {
    onRound(round, { consensusDistance: distances }, replicas) {
      if (round === 0) initial = replicas[0]!.slice()
      else rounds.push({ exact: distances.at(-1)!, replicas: replicas.map((replica) => replica.slice()) })
    },
  })
  assert.equal(rounds.length, 6)
  let squares = 0
  for (const { exact, replicas } of rounds) {
    assert.ok(exact > 0)
    // The run id is the seed of the sketch.
    for (let seed = 0; seed < 10; seed++) {
      const sketcher = new Sketcher(`run ${seed}`, initial)
      const sketches = replicas.map((replica) => sketcher.sketch(replica))
      squares += (consensusDistance(sketches, sketcher.dimension) / exact - 1) ** 2 / 60
    }
  }
  assert.ok(Math.sqrt(squares) < 0.1, `an error of ${(100 * Math.sqrt(squares)).toFixed(1)} %`)
  assert.ok(squares > 0)
})
