import type { Mutation } from '../mutation.ts'
import { API, DISPATCHER, GATEWAY } from './paths.ts'

export const takeOver: Mutation[] = [
  {
    without: 'the release of a lease whose holder has ended',
    file: `${API}/src/lease/hold-lease.ts`,
    search: 'if (!isMine) await rounds.step(',
    replacement: 'if (false) await rounds.step(',
    tests: { [`${API}/test/lease/hold-lease.test.ts`]: 'the lease of an ended process passes on' }
  },
  {
    without: 'the end of the work of a holder that lost its lease',
    file: `${API}/src/lease/hold-lease.ts`,
    search: 'else if (!isMine && held) await endWork()',
    replacement: '',
    tests: { [`${API}/test/lease/hold-lease.test.ts`]: 'a holder that lost its lease to another one' }
  },
  {
    without: 'the reaper of dead workers',
    file: `${DISPATCHER}/src/delivery/claim/dead-worker-reaper.ts`,
    search: 'if (dead.length === 0) return false',
    replacement: 'if (dead.length >= 0) return false',
    tests: { [`${DISPATCHER}/test/delivery/claim/worker-lease.test.ts`]: 'deliveries of a killed dispatcher' }
  },
  {
    without: 'heartbeats of gateways, by which sessions of a killed one stop counting',
    file: `${GATEWAY}/src/admission/acquire-session.lua`,
    search: 'if counts[i] ~= ARGV[1] and beat and tonumber(beat) > now - ARGV[4] then',
    replacement: 'if counts[i] ~= ARGV[1] then',
    tests: { [`${GATEWAY}/test/admission/session-quota.test.ts`]: 'the sessions of another replica count' }
  }
]
