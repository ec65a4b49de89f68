import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import t from 'tap'
import { root } from '@tidings/local'
import { filesOf } from './docs/pages.ts'

// docs/glossary.md has the words that stand for them.
const RETIRED = new Set(`
  tell tells telling tellings teller told untold retold hear hears heard hearing claimant claimants claimer claimers
  outlet outlets audience audiences seat seats seated face faces wish wishes wished forsake forsakes forsaken forsook
  aftermath lane lanes upkeep heed heeds knock knocks whoever whosoever anew newsworthy overtaken overtook follower
  followers standstill standstills spared
`.trim().split(/\s+/))

/** Words that are retired together only. */
const RETIRED_PAIRS = new Set(['stepped over', 'forget spent', 'held anew'])

const CHECKED = [
  'packages/**', 'services/**', 'infra/**', 'bench/**', 'examples/**', 'test/**', 'docs/**', 'specs/**',
  '*.md', '.env.example', 'docker-compose.yml', 'package.json'
]
const TEXT = /(\.(ts|mts|js|mjs|py|lua|sql|qnt|md|json|yml|svg|txt|html)|Caddyfile|Dockerfile|\.example)$/

type Exception = { path: RegExp, line?: RegExp, words?: string[], reason: string }

const EXCEPTIONS: Exception[] = [
  { path: /^test\/words\.test\.ts$/, reason: 'it has to name them' },
  { path: /^docs\/job-notifications\.md$/, reason: 'the words of the user\'s guide are kept' },
  { path: /^docs\/glossary\.md$/, line: /^\| .*`/, reason: 'names kept in storage' },
  {
    path: /^docs\/(data-model|guides\/debug-a-stuck-delivery)\.md$/,
    words: ['claimant', 'claimants', 'follower', 'told', 'seats'],
    reason: 'names kept in storage'
  },
  { path: /^CHANGELOG\.md$/, line: /→/, reason: 'old names beside new ones, under "Renamed"' },
  { path: /^services\/jobs-api\//, line: /\bfollower = /, words: ['follower'], reason: 'a column: docs/glossary.md' },
  { path: /\/redis-keys\.ts$/, line: /:seats`/, words: ['seats'], reason: 'a key of Redis: docs/glossary.md' },
  {
    path: /webhook-dispatcher\/test\/db\/upgrade\.test\.ts$/,
    words: ['claimant', 'claimants', 'told'],
    reason: 'it writes rows as the release before did'
  },
  { path: /\/migrations\//, reason: 'a released migration is never edited, and a new one names what it renames' },
  { path: /./, line: /JWT_AUDIENCE|issuer/, words: ['audience'], reason: 'the audience of a JWT (RFC 7519)' },
  { path: /\/(jwt|tokens)\/|^docs\/errors/, words: ['audience'], reason: 'the audience of a JWT (RFC 7519)' },
  { path: /./, line: /STANDSTILL_MS/, words: ['standstill'], reason: 'a variable that deployments set' }
]

t.test('no file uses a retired word', async t => {
  const hits = files().flatMap(path => hitsIn(path))
  t.same(hits, [])
})

function files (): string[] {
  return filesOf(CHECKED).filter(path => TEXT.test(basename(path)))
}

function hitsIn (path: string): string[] {
  const lines = [...readFileSync(`${root}/${path}`, 'utf8').split('\n').entries()]
  return [[-1, path] as const, ...lines].flatMap(([i, line]) => wordsOf(line)
    .filter(word => !isAllowed({ path, line, word }))
    .map(word => i === -1 ? `${path}: ${word} (its name)` : `${path}:${i + 1}: ${word}: ${line.trim().slice(0, 120)}`))
}

/** The retired words of a line, also as parts of camelCase, snake_case and kebab-case names. */
function wordsOf (line: string): string[] {
  const words = (line.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? []).map(word => word.toLowerCase())
  const pairs = words.map((word, i) => `${word} ${words[i + 1] ?? ''}`)
  return [...words.filter(word => RETIRED.has(word)), ...pairs.filter(pair => RETIRED_PAIRS.has(pair))]
}

function isAllowed ({ path, line, word }: { path: string, line: string, word: string }): boolean {
  return EXCEPTIONS.some(exception => exception.path.test(path) &&
    (exception.line?.test(line) ?? true) && (exception.words?.includes(word) ?? true))
}
