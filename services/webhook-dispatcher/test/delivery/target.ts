import type { Target } from '../../src/delivery/attempt/task.ts'

/** A webhook of user 1 as it would be read, for all events, at an address where nobody listens. */
export function targetOf (id: number): Target {
  return {
    id,
    user_id: '1',
    kind: 'own',
    url: 'http://127.0.0.1:9',
    event_type: 'all',
    event_types: null,
    filter: null,
    status: 'active',
    headers: {},
    sealed_headers: null,
    progress_mode: 'all',
    since_ms: 0,
    since_seq: 0,
    failures: 0,
    open_until: 0,
    ciphertexts: [],
    changed_at: 0
  }
}
