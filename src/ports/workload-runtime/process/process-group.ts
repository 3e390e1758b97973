// Ends process groups, politely first.
import { sleep } from '../../../base/clock.ts'
import type { Clock } from '../../../base/clock.ts'
import { groupMembers, signal } from './process-table.ts'

/** Waits between two looks at a group that is ending: soon at first, then seldom. */
const lookDelayMsMin = 5
const lookDelayMsMax = 100
/** How long a killed group may take to vanish; a process in an uninterruptible call is not waited for any longer. */
const killedMs = 10_000

/** Sends SIGTERM to the group, SIGKILL after `graceMs`; resolves when nobody of it is left. */
export async function endGroup(group: number, clock: Clock, { graceMs }: { graceMs: number }): Promise<void> {
  if (graceMs > 0 && signal(-group, 'SIGTERM') && (await isGone(group, clock, graceMs))) return
  signal(-group, 'SIGKILL')
  await isGone(group, clock, killedMs)
}

/** Waits until the group is empty, at most `withinMs`; time in which the whole machine stood still is not counted. */
async function isGone(group: number, clock: Clock, withinMs: number): Promise<boolean> {
  let leftMs = withinMs
  for (let delayMs = lookDelayMsMin; ; delayMs = Math.min(delayMs * 2, lookDelayMsMax)) {
    // A system that cannot be asked, for want of descriptors, say, has not told that nobody is left.
    const members = await groupMembers(group).catch(() => undefined)
    if (members?.length === 0) return true
    if (leftMs <= 0) return false
    const stepMs = Math.min(delayMs, leftMs)
    leftMs -= stepMs
    await sleep(clock, stepMs)
  }
}
