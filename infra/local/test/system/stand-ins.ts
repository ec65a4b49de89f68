import { fileURLToPath } from 'node:url'

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}.ts`, import.meta.url))

/** Scripts that replace the services in tests of the code around them. */
export const standIns = {
  'jobs-api': fixture('stand-in'),
  'realtime-gateway': fixture('stand-in'),
  'webhook-dispatcher': fixture('stand-in'),
  'csv-worker': fixture('idle')
}
