import neostandard from 'neostandard'

export default [
  ...neostandard({
    ts: true,
    ignores: ['**/node_modules/**', '.local/**', '.tap/**', '**/dist/**', 'packages/client/src/openapi.ts']
  }),
  {
    rules: {
      // Template literals hold SQL and raw HTTP, whose lines cannot be broken at will.
      '@stylistic/max-len': ['error', {
        code: 120,
        ignoreUrls: true,
        ignoreTemplateLiterals: true,
        ignoreRegExpLiterals: true
      }],
      // A TypeBox schema and the type derived from it share one name; the compiler already refuses real redeclarations.
      '@typescript-eslint/no-redeclare': 'off',
      // `onClick={store.clear}` says it all.
      'react/jsx-handler-names': 'off'
    }
  },
  {
    // Texts of the source, as they stand there.
    files: ['test/proofs/mutations/*.ts'],
    rules: {
      'no-template-curly-in-string': 'off',
      '@stylistic/max-len': ['error', { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true }]
    }
  }
]
