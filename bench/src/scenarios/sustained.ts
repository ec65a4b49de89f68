import { runWorkload } from '../workload/run-workload.ts'
import { busiestLoad } from '../fixture/cpu-shares.ts'
import type { WorkloadResult } from '../workload/run-workload.ts'
import { interleave } from '../workload/interleave.ts'
import { faults, lostOf } from '../workload/losses.ts'
import { rates } from '../figures/rates.ts'
import type { Subject } from '../fixture/subject.ts'
import type { Fixture } from '../fixture/fixture.ts'
import type { Result, Scenario } from './scenario.ts'

/** Events in flight: enough to keep every part busy, and far below BullMQ's own cap, so that no subject loses any. */
const WINDOW = 4_000
const WARM_UP = 10_000
const SECONDS = 2
const EVENTS_PER_JOB = 50
const BURST = 60_000

/**
 * The highest rate at which every event reaches sockets, webhooks and polling without a growing backlog; then a burst.
 */
export const sustained: Scenario = {
  name: 'sustained',
  title: '1 sustained events on all channels',
  run: async fixture => {
    const { subject: ours } = await fixture.tidings()
    const [naive, tuned] = [await fixture.monolith('naive'), await fixture.monolith('tuned')]
    const subjects = { Tidings: ours, naive: naive.subject, tuned: tuned.subject }
    const steady = await steadyRates(fixture, subjects)
    const burst = await bursts(fixture, subjects)
    return { rows: [...steady.rows, ...burst.rows], broken: [...steady.broken, ...burst.broken] }
  }
}

type Subjects = Record<Subject['name'], Subject>

async function steadyRates (fixture: Fixture, subjects: Subjects): Promise<Result> {
  const cell = async (subject: Subject) => {
    fixture.progress.status(`sustained: warming up ${subject.name}`)
    const { perSecond } = await flatOut(fixture, subject, WARM_UP)
    return () => flatOut(fixture, subject, Math.round(perSecond * SECONDS / EVENTS_PER_JOB) * EVENTS_PER_JOB)
  }
  const cells = {
    Tidings: await cell(subjects.Tidings),
    naive: await cell(subjects.naive),
    tuned: await cell(subjects.tuned)
  }
  const { Tidings, naive, tuned } = await interleave(fixture, { title: 'sustained', cells })
  const row = { scenario: '1', unit: 'events/s', ours: rates(Tidings), ...busiestLoad(Tidings) }
  return {
    rows: [
      {
        ...row,
        what: 'sustained, all channels',
        peer: { name: 'naive', values: rates(naive) },
        goal: { of: 'peer', atLeast: 5 }
      },
      {
        ...row,
        what: 'sustained, all channels',
        peer: { name: 'tuned', values: rates(tuned) },
        goal: { of: 'peer', atLeast: 1.5 }
      }
    ],
    broken: Tidings.flatMap(run => faults('sustained', run))
  }
}

async function bursts (fixture: Fixture, subjects: Subjects): Promise<Result> {
  const burst = (subject: Subject) => {
    fixture.progress.status(`burst of ${BURST}: ${subject.name}`)
    return runWorkload(fixture, subject, { events: BURST, eventsPerJob: BURST / 200, pace: { window: Infinity } })
  }
  const Tidings = await burst(subjects.Tidings)
  const naive = await burst(subjects.naive)
  const tuned = await burst(subjects.tuned)
  const what = `burst of ${BURST / 1000},000: deliveries lost`
  const row = { scenario: '1', what, unit: 'lost', ours: [lostOf(Tidings)], ...busiestLoad([Tidings]) }
  return {
    rows: [
      { ...row, peer: { name: 'naive', values: [lostOf(naive)] }, goal: { of: 'ours', atMost: 0 } },
      { ...row, peer: { name: 'tuned', values: [lostOf(tuned)] } }
    ],
    broken: faults('burst', Tidings)
  }
}

function flatOut (fixture: Fixture, subject: Subject, events: number): Promise<WorkloadResult> {
  return runWorkload(fixture, subject, { events, eventsPerJob: EVENTS_PER_JOB, pace: { window: WINDOW } })
}
