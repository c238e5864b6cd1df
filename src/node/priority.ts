import { constants, getPriority, setPriority } from 'node:os'

/** Puts the calling thread `niceness` behind the main thread for the processor. Only on Linux: elsewhere a priority is the whole process's. */
export function standBehind(niceness: number): void {
  if (process.platform === 'linux') setPriority(Math.min(getPriority(process.pid) + niceness, constants.priority.PRIORITY_LOW))
}
