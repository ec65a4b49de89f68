import type { EdgeConfig } from './config.ts'

/** All service instances by the names of their pid files and logs. */
export function upstreams ({ jobsApi, gateways, dispatcher }: EdgeConfig): Record<string, string> {
  return {
    'jobs-api': jobsApi,
    ...Object.fromEntries(gateways.map((url, index) => [`realtime-gateway-${index + 1}`, url])),
    'webhook-dispatcher': dispatcher
  }
}
