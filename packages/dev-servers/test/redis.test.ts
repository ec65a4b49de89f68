import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t from 'tap'
import {
  isAlive,
  MissingRedisError,
  PortTakenError,
  redisExecutable,
  ServerStartError,
  startRedis
} from '../src/index.ts'
import { temporaryFolder } from './folder.ts'

t.test('starts on a free port with the settings of Tidings, and stops', async t => {
  const dir = temporaryFolder(t)
  const server = await startRedis({ dir })
  t.teardown(() => server.stop())
  t.equal(statSync(dir).mode & 0o077, 0, 'nobody else reads its files')
  const client = new Redis(server.url)
  t.equal(await client.ping(), 'PONG')
  t.match(await client.config('GET', 'appendonly'), ['appendonly', 'yes'])
  t.match(await client.config('GET', 'maxmemory-policy'), ['maxmemory-policy', 'noeviction'])
  client.disconnect()
  await server.stop()
  t.notOk(isAlive(server.pid))
})

t.test('demands the given password, which is not in the process table', async t => {
  const dir = temporaryFolder(t)
  const password = 'open "sesame" \\ #1'
  const server = await startRedis({ dir, password })
  t.teardown(() => server.stop())
  const known = new Redis(server.url)
  t.equal(await known.ping(), 'PONG')
  known.disconnect()
  const stranger = new Redis(server.port, { lazyConnect: true, enableReadyCheck: false, maxRetriesPerRequest: 0 })
  await t.rejects(stranger.set('a', '1'), { message: /NOAUTH/ })
  stranger.disconnect()
  if (process.platform === 'linux') t.notMatch(readFileSync(`/proc/${server.pid}/cmdline`, 'utf8'), 'sesame')
  t.equal(statSync(join(dir, 'login.conf')).mode & 0o777, 0o600)
})

t.test('keeps its data across a restart', async t => {
  const dir = temporaryFolder(t)
  const first = await startRedis({ dir })
  const writer = new Redis(first.url)
  await writer.set('a', '1')
  writer.disconnect()
  await first.stop()

  const second = await startRedis({ dir, port: first.port })
  t.teardown(() => second.stop())
  const reader = new Redis(second.url)
  t.equal(await reader.get('a'), '1')
  reader.disconnect()
})

t.test('a taken port is reported', async t => {
  const server = await startRedis({ dir: temporaryFolder(t), appendonly: false })
  t.teardown(() => server.stop())
  const second = startRedis({ dir: temporaryFolder(t), port: server.port })
  await t.rejects(second, new PortTakenError(server.port, 'Redis'))
  await t.rejects(second, { message: `port ${server.port} is taken: Redis cannot listen there` })
})

t.test('a server that refuses its settings is reported with its last output', async t => {
  const start = startRedis({ dir: temporaryFolder(t), settings: { appendfsync: 'sometimes' } })
  await t.rejects(start, ServerStartError)
  await t.rejects(start, {
    message: /^Redis at .* ended at its start \(exit code 1\)\. Its log ends with:[^]*appendfsync/
  })
})

t.test('the executable', async t => {
  const bin = join(temporaryFolder(t), 'bin')
  mkdirSync(bin)
  await t.rejects(redisExecutable(bin), MissingRedisError)
  await t.rejects(redisExecutable(bin), {
    message: /^Neither redis-server nor valkey-server is on PATH\. Tidings needs Redis 7\.0 or newer/
  })

  writeFileSync(join(bin, 'valkey-server'), '#!/bin/sh\necho "Valkey server v=8.0.1 sha=0"\n', { mode: 0o755 })
  t.equal(await redisExecutable(bin), join(bin, 'valkey-server'))

  writeFileSync(join(bin, 'redis-server'), '#!/bin/sh\necho "Redis server v=6.2.0 sha=0"\n', { mode: 0o755 })
  await t.rejects(redisExecutable(bin), { message: /redis-server is too old/ })
})
