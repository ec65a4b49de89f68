import type { ReceiverMode } from '../channels/webhook.ts'
import type { Fault } from './fault.ts'

const HOLD_MS: [number, number] = [3000, 8000]

function receivers (mode: ReceiverMode, what: string, withinMs: number): Fault {
  return {
    name: `receivers-${mode}`,
    what,
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs },
    supersedesProgress: true,
    inject: ({ observers }) => {
      for (const { webhook } of observers) webhook.setMode(mode)
      return () => { for (const { webhook } of observers) webhook.setMode('healthy') }
    }
  }
}

export const receiverFaults: Fault[] = [
  receivers('hangs', 'receivers of webhooks that never respond', 20_000),
  receivers('drips', 'receivers that respond with 200 and never end the body', 5000),
  receivers('resets', 'receivers that reset each connection', 20_000),
  receivers('flaps', 'receivers that respond with 503 every other time', 20_000),
  {
    name: 'receivers-refuse',
    what: 'receivers that refuse connections',
    holdMs: HOLD_MS,
    recovery: { since: 'end', withinMs: 20_000 },
    supersedesProgress: true,
    inject: async ({ observers }) => {
      await Promise.all(observers.map(async ({ webhook }) => await webhook.close()))
      return async () => { await Promise.all(observers.map(async ({ webhook }) => await webhook.open())) }
    }
  }
]
