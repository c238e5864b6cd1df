/**
 * Gathers what a report tells from a path: a data folder (of a running peer, too) with the record and the checkpoints of its latest run, one
 * checkpoint, or an exported policy. What is not there is named in `missing`.
 */
import { readFile, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, resolve, sep } from 'node:path'
import { STATISTICS } from '../learn/statistics.ts'
import { systemClock } from '../node/clock.ts'
import { lockHolder } from '../node/lock.ts'
import { checkpointAt, isExport, loadSavedPolicy } from '../node/saved-policy.ts'
import { folderStorage } from '../node/storage.ts'
import { RunRecord } from '../observe/run-record.ts'
import type { ReplicaFacts, ReportedCheckpoint, RunReport } from '../observe/run-report.ts'
import type { Storage } from '../ports/storage.ts'
import type { Checkpoint } from '../store/checkpoint-file.ts'
import { bestName, listCheckpoints, type ReadCheckpoint, readCheckpoint } from '../store/checkpoints.ts'
import { listRecords } from '../store/records.ts'
import { GrapevineError, messageOf } from '../util/errors.ts'
import { decodeManifest } from '../wire/manifest.ts'

/** Fails with `path`, `no_run`, `bad_checkpoint` or `bad_policy`. */
export async function gatherReport(path: string, version: string): Promise<RunReport> {
  const found = await stat(path).catch(() => null)
  if (found === null) {
    throw new GrapevineError('path', 'local', `There is nothing at ${resolve(path)}; name a data folder, a checkpoint or an export.`)
  }
  const made = { version, unixSeconds: systemClock.unixSeconds(), meanings: meanings() }
  return { ...(found.isDirectory() ? await ofFolder(resolve(path)) : await ofFile(path)), ...made }
}

type Gathered = Omit<RunReport, 'version' | 'unixSeconds' | 'meanings'>

async function ofFolder(folder: string): Promise<Gathered> {
  const storage = folderStorage(folder)
  const [records, saved] = [await listRecords(storage), await listCheckpoints(storage)]
  const run = saved[0]?.run ?? records[0]?.run
  if (run === undefined) {
    throw new GrapevineError(
      'no_run',
      'local',
      `There is no run in ${folder} to report on; name the data folder of one that has trained.`,
      { folder },
    )
  }
  const { record, problem } = await readRecord(storage, records.find((one) => one.run === run)?.name)
  const files = [...saved.filter((one) => one.run === run).map(({ name }) => name), bestName(run)]
  const read = await Promise.all(files.map(async (name) => ({ name, ...(await readCheckpoint(storage, name, run)) })))
  const there = read.filter(({ missing }) => !missing)
  const checkpoints = there.map((one) => told(one.name, one))
  const newest = there.find(({ checkpoint }) => checkpoint !== null)?.checkpoint ?? null
  const manifest = newest === null ? record?.run?.manifest : decodeManifest(newest.manifestBytes)
  if (manifest === undefined) {
    throw new GrapevineError(
      'no_run',
      'local',
      `Nothing of the run in ${folder} can be read: ${problem ?? checkpoints[0]?.problem ?? 'it is empty'}.`,
      {
        folder,
      },
    )
  }
  const missing = []
  if (record === null)
    missing.push(`There are no curves, events or peers: ${problem ?? 'this run was trained by a version that kept no record'}.`)
  if (newest === null) missing.push('There is no whole checkpoint of this run.')
  const running = (await lockHolder(folder)) !== null
  if (running) missing.push('It is still running: the page shows it as it was when the page was made.')
  return {
    ...naming(manifest),
    running,
    replica: replicaOf(run, newest, record),
    record,
    checkpoints,
    manifest,
    settings: withoutHome(record?.run?.settings ?? null),
    missing,
  }
}

async function readRecord(storage: Storage, name: string | undefined): Promise<{ record: RunRecord | null; problem: string | null }> {
  if (name === undefined) return { record: null, problem: null }
  try {
    const bytes = await storage.read(name)
    if (bytes === null) return { record: null, problem: null }
    const record = RunRecord.decode(bytes)
    return record.lives.length === 0 ? { record: null, problem: `${name} is damaged` } : { record, problem: null }
  } catch (error) {
    return { record: null, problem: messageOf(error) }
  }
}

function told(name: string, { problem, checkpoint, size }: ReadCheckpoint): ReportedCheckpoint {
  return { name: basename(name), best: basename(name).startsWith('best-'), problem, facts: checkpoint?.facts ?? null, bytes: size }
}

/** A checkpoint says itself what it is of; only exports need to be understood. */
async function ofFile(path: string): Promise<Gathered> {
  const bytes = new Uint8Array(await readFile(path))
  const alone = { running: false, record: null, settings: null }
  if (isExport(bytes)) {
    const { environment, wrappers, algorithm, network, run, version, steps, returnMean } = (await loadSavedPolicy(path, 'self')).facts
    const manifest = { environment, wrappers, algorithm: { id: algorithm }, network }
    const replica = { run, peer: null, steps, updates: null, version, returnMean }
    return { ...alone, ...naming(manifest), replica, checkpoints: [], manifest, missing: [lacking('an exported policy')] }
  }
  const checkpoint = checkpointAt(path, bytes)
  const { facts } = checkpoint
  const manifest = decodeManifest(checkpoint.manifestBytes)
  const replica = replicaOf(facts.run, checkpoint, null)
  return {
    ...alone,
    ...naming(manifest),
    replica,
    checkpoints: [{ name: basename(path), best: false, problem: null, facts, bytes: bytes.length }],
    manifest,
    missing: [lacking('one checkpoint')],
  }
}

function lacking(what: string): string {
  return `This is ${what}: it has no curves, events, peers or settings. A report on the data folder that it came from has them.`
}

function replicaOf(run: string, newest: Checkpoint | null, record: RunRecord | null): ReplicaFacts {
  if (newest !== null) {
    const { run: id, peer, steps, updates, version, returnMean } = newest.facts
    return { run: id, peer, steps, updates, version, returnMean }
  }
  const status = record?.standing?.status
  return {
    run: record?.run?.run ?? run,
    peer: record?.run?.peer ?? null,
    steps: status?.steps ?? 0,
    updates: status?.updates ?? null,
    version: status?.updates ?? 0,
    returnMean: status?.returnMean ?? null,
  }
}

function naming(manifest: unknown): { title: string; name: string | null } {
  const { environment, algorithm, name } = manifest as { environment?: { id?: string }; algorithm?: { id?: string }; name?: string }
  const title = `${environment?.id ?? 'a run'} with ${algorithm?.id ?? 'an algorithm that is not known'}`
  return { title, name: name === environment?.id ? null : (name ?? null) }
}

/** A page that is mailed need not tell where somebody's home is. */
function withoutHome(value: unknown): unknown {
  const home = homedir()
  if (typeof value === 'string') return value === home || value.startsWith(home + sep) ? `~${value.slice(home.length)}` : value
  if (Array.isArray(value)) return value.map(withoutHome)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withoutHome(inner)]))
}

function meanings(): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(STATISTICS).map(([name, { meaning, unit }]) => [name, `${meaning} (${unit})`]))
}
