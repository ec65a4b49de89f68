export * from './bulk-row.ts'
export * from './bulk-store.ts'
export * from './run-bulks.ts'
export * from './publish-bulks.ts'
