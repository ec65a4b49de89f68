import type { Webhook } from 'tidings'

/**
 * A webhook that is being set up has this name in its filter, which no job has: until it is finished it receives tests
 * and nothing else (decision 0042).
 */
const DRAFT_NAME = 'tidings:draft'

export const DRAFT_FILTER = { names: [DRAFT_NAME] }

export const isDraft = ({ filter }: Pick<Webhook, 'filter'>): boolean =>
  filter.names?.length === 1 && filter.names[0] === DRAFT_NAME
