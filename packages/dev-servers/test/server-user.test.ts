import { chmodSync, existsSync, lstatSync, mkdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startPostgres } from '../src/index.ts'
import { dataFolder } from '../src/data-folder.ts'
import { isReachable, serverUser } from '../src/server-user.ts'
import { temporaryFolder } from './folder.ts'

const isRoot = process.getuid?.() === 0
const stranger = { name: 'stranger', uid: 54_321, gid: 54_321 }

t.test('a folder is reachable when all folders on the way may be entered', async t => {
  const folder = temporaryFolder(t)
  const closed = join(folder, 'closed')
  mkdirSync(join(closed, 'inner'), { recursive: true })
  t.ok(isReachable(join(closed, 'inner'), stranger))
  t.ok(isReachable(join(closed, 'not', 'yet', 'there'), stranger))
  chmodSync(closed, 0o700)
  t.notOk(isReachable(join(closed, 'inner'), stranger))
  const { uid, gid } = statSync(closed)
  t.ok(isReachable(join(closed, 'inner'), { name: 'owner', uid, gid }))
})

t.test('an ordinary user keeps the data in the given folder', async t => {
  const dir = join(temporaryFolder(t), 'deep', 'data')
  t.equal(dataFolder(dir, undefined), dir)
})

t.test('root below a folder that only root may enter', { skip: isRoot ? false : 'needs root' }, async t => {
  const home = temporaryFolder(t)
  chmodSync(home, 0o700)
  const dir = join(home, 'data')
  const server = await startPostgres({ dir, settings: { fsync: 'off' } })
  t.teardown(() => server.stop())
  const elsewhere = readlinkSync(dir)
  t.teardown(() => rmSync(elsewhere, { recursive: true, force: true }))

  t.equal(statSync(elsewhere).uid, serverUser()?.uid, 'the data is the other user\'s, in a folder of its own')
  t.notOk(elsewhere.startsWith(home))
  await server.stop()

  await t.test('finds its data again', async t => {
    writeFileSync(join(elsewhere, 'kept'), '')
    t.equal(dataFolder(dir, serverUser()), elsewhere)
    t.ok(existsSync(join(elsewhere, 'kept')))
  })

  await t.test('and starts with an empty folder when the data was removed', async t => {
    rmSync(dir)
    t.equal(dataFolder(dir, serverUser()), elsewhere)
    t.notOk(existsSync(elsewhere))
    t.ok(lstatSync(dir).isSymbolicLink())
  })
})
