import { drive } from '../drive/drive.ts'
import type { Driven } from '../drive/drive.ts'
import { interleave } from '../drive/interleave.ts'
import { loadOf } from '../drive/load-column.ts'
import { faults, lostOf } from '../drive/losses.ts'
import { rates } from '../figures/rates.ts'
import type { Side } from '../stage/side.ts'
import type { Stage } from '../stage/stage.ts'
import type { Result, Scenario } from './scenario.ts'

/** Events under way: enough to keep every part busy, and far less than BullMQ's own cap, so that nobody loses any. */
const WINDOW = 4_000
const WARM_UP = 10_000
const SECONDS = 2
const EVENTS_PER_JOB = 50
const BURST = 60_000

/** The highest rate at which every event reaches both push channels and polling and nothing piles up; then a burst. */
export const sustained: Scenario = {
  name: 'sustained',
  title: '1 sustained events on all channels',
  run: async stage => {
    const { side: ours } = await stage.tidings()
    const [naive, tuned] = [await stage.monolith('naive'), await stage.monolith('tuned')]
    const sides = { Tidings: ours, naive: naive.side, tuned: tuned.side }
    const steady = await steadyRates(stage, sides)
    const burst = await bursts(stage, sides)
    return { rows: [...steady.rows, ...burst.rows], broken: [...steady.broken, ...burst.broken] }
  }
}

type Sides = Record<Side['name'], Side>

async function steadyRates (stage: Stage, sides: Sides): Promise<Result> {
  const cell = async (side: Side) => {
    stage.progress.say(`sustained: warming up ${side.name}`)
    const { perSecond } = await flatOut(stage, side, WARM_UP)
    return () => flatOut(stage, side, Math.round(perSecond * SECONDS / EVENTS_PER_JOB) * EVENTS_PER_JOB)
  }
  const cells = { Tidings: await cell(sides.Tidings), naive: await cell(sides.naive), tuned: await cell(sides.tuned) }
  const { Tidings, naive, tuned } = await interleave(stage, { title: 'sustained', cells })
  const row = { scenario: '1', unit: 'events/s', ours: rates(Tidings), ...loadOf(Tidings) }
  return {
    rows: [
      { ...row, what: 'sustained, all channels', peer: { name: 'naive', values: rates(naive) }, goal: { of: 'peer', atLeast: 5 } },
      { ...row, what: 'sustained, all channels', peer: { name: 'tuned', values: rates(tuned) }, goal: { of: 'peer', atLeast: 1.5 } }
    ],
    broken: Tidings.flatMap(run => faults('sustained', run))
  }
}

async function bursts (stage: Stage, sides: Sides): Promise<Result> {
  const burst = (side: Side) => {
    stage.progress.say(`burst of ${BURST}: ${side.name}`)
    return drive(stage, side, { events: BURST, eventsPerJob: BURST / 200, pace: { window: Infinity } })
  }
  const Tidings = await burst(sides.Tidings)
  const naive = await burst(sides.naive)
  const tuned = await burst(sides.tuned)
  const row = { scenario: '1', what: `burst of ${BURST / 1000},000: deliveries lost`, unit: 'lost', ours: [lostOf(Tidings)], ...loadOf([Tidings]) }
  return {
    rows: [
      { ...row, peer: { name: 'naive', values: [lostOf(naive)] }, goal: { of: 'ours', atMost: 0 } },
      { ...row, peer: { name: 'tuned', values: [lostOf(tuned)] } }
    ],
    broken: faults('burst', Tidings)
  }
}

function flatOut (stage: Stage, side: Side, events: number): Promise<Driven> {
  return drive(stage, side, { events, eventsPerJob: EVENTS_PER_JOB, pace: { window: WINDOW } })
}
