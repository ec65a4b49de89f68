import neostandard from 'neostandard'

export default [
  ...neostandard({ ts: true, ignores: ['**/node_modules/**', '.local/**', '.tap/**', '**/dist/**', 'packages/client/src/openapi.ts'] }),
  {
    rules: {
      // A TypeBox schema and the type derived from it share one name; the compiler already refuses real redeclarations.
      '@typescript-eslint/no-redeclare': 'off'
    }
  }
]
