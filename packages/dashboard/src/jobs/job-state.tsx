import type { JobState } from 'tidings'
import { Badge, type Tone } from '../ui/badge.tsx'

export const STATES: JobState[] = ['active', 'waiting', 'delayed', 'completed', 'failed']

const TONES: Record<JobState, Tone> = {
  active: 'busy', waiting: 'idle', delayed: 'warn', completed: 'ok', failed: 'bad'
}

export function JobStateBadge ({ state }: { state: JobState }) {
  return <Badge tone={TONES[state]} dot>{state}</Badge>
}
