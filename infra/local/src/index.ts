export { serviceOf, type ServiceName } from './edge/routes.ts'
export { root } from './root.ts'
export { startSystem, type System, type SystemOptions } from './system/start-system.ts'
export type { Supervised } from './system/supervise.ts'
