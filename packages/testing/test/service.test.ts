import { isAlive } from '@tidings/dev-servers'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { freePort, spawnService, temporaryFolder } from '../src/index.ts'

function script (t: Test, source: string): string {
  const file = join(temporaryFolder(t), 'service.mjs')
  writeFileSync(file, source)
  return file
}

const SERVER = `
  import { createServer } from 'node:http'
  createServer((request, response) => response.end(process.env.WORD)).listen(Number(process.env.PORT), '127.0.0.1')
  console.log('here I am')
`

t.test('runs a script with the given environment until the test ends; ready when its URL answers', async t => {
  let pid = 0
  await t.test('inner', async t => {
    const port = await freePort()
    const readyUrl = `http://127.0.0.1:${port}/`
    const service = await spawnService(t, {
      entry: script(t, SERVER),
      env: { PORT: String(port), WORD: 'hello' },
      readyUrl
    })
    pid = service.pid
    t.equal(await (await fetch(readyUrl)).text(), 'hello')
    t.match(service.output(), 'here I am')
  })
  t.not(pid, 0)
  t.notOk(isAlive(pid))
})

t.test('ends by the signal that it receives', async t => {
  const service = await spawnService(t, { entry: script(t, 'setInterval(() => {}, 1000)') })
  t.same(await service.kill('SIGKILL'), { code: null, signal: 'SIGKILL' })
})

t.test('a service that ends at its start is reported with its output', async t => {
  const port = await freePort()
  const start = spawnService(t, {
    entry: script(t, 'console.error("no database"); process.exit(3)'),
    readyUrl: `http://127.0.0.1:${port}/`
  })
  await t.rejects(start, { message: /ended \(3\) before it was ready. It wrote:\nno database/ })
})
