/** Writes checkpoints of a small learner as fast as it can, each 1 MiB and a bit, and says when the first of its life is there. */
import { folderStorage } from '../../../src/node/storage.ts'
import { type CheckpointFacts, checkpointFile } from '../../../src/store/checkpoint-file.ts'
import { CheckpointWriter } from '../../../src/store/checkpoints.ts'
import { nextIncarnation } from '../../../src/store/incarnation.ts'
import { sealTensors } from '../../../src/wire/sealed-tensors.ts'

const PARAMETERS = 300_000

const storage = folderStorage(process.argv[2]!)
const run = 'ab'.repeat(32)
const incarnation = await nextIncarnation(storage, 0)
const writer = new CheckpointWriter(storage, run)
for (let updates = 1; ; updates++) {
  const facts: CheckpointFacts = {
    run,
    peer: 'bench',
    incarnation,
    savedAtUnixSeconds: 0,
    version: updates,
    steps: updates,
    updates,
    episodes: 0,
    returnMean: updates,
    evaluation: null,
  }
  const state = { parameters: new Float32Array(PARAMETERS).fill(updates) }
  await writer.write(sealTensors(checkpointFile({ facts, manifestBytes: new Uint8Array(1), state })), facts)
  if (updates === 1) process.send!('written')
}
