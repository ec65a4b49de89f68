import type { EdgeConfig } from './config.ts'

/** Every service instance by its name, as its pid file and its log are called. */
export function upstreams ({ jobsApi, gateways, dispatcher }: EdgeConfig): Record<string, string> {
  return {
    'jobs-api': jobsApi,
    ...Object.fromEntries(gateways.map((url, index) => [`realtime-gateway-${index + 1}`, url])),
    'webhook-dispatcher': dispatcher
  }
}
