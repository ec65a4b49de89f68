export const FINDING_KINDS = ['lost', 'doubled', 'reordered', 'wrong'] as const

/** What a comparison found, one line for each. */
export interface Findings {
  /** Events that did not arrive, jobs that are missing. */
  lost: string[]
  /** Events that arrived under two ids, or twice in one session. */
  doubled: string[]
  reordered: string[]
  /** Events that BullMQ did not record, values, states, ids and owners that differ. */
  wrong: string[]
}

export function noFindings (): Findings {
  return { lost: [], doubled: [], reordered: [], wrong: [] }
}

export function addFindings (to: Findings, more: Partial<Findings>): void {
  for (const kind of FINDING_KINDS) to[kind].push(...more[kind] ?? [])
}

export function isClean (found: Findings): boolean {
  return FINDING_KINDS.every(kind => found[kind].length === 0)
}
