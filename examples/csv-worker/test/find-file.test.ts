import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '@tidings/testing'
import type { TestContext } from '@tidings/testing'
import { UnrecoverableError } from 'bullmq'
import t from 'tap'
import { findFile } from '../src/find-file.ts'

t.test('finds files in the folder and in folders below it', async t => {
  const { folder } = setup(t)
  t.same(await findFile(folder, 'a.csv'), { name: 'a.csv', path: join(folder, 'a.csv'), bytes: 4 })
  t.equal((await findFile(folder, 'deep/b.csv')).bytes, 8)
  t.equal((await findFile(folder, './deep//b.csv')).bytes, 8)
  t.equal((await findFile(folder, '..odd.csv')).bytes, 2, 'two dots may begin a name')
})

t.test('follows a symbolic link that stays within the folder', async t => {
  const { folder } = setup(t)
  symlinkSync(join(folder, 'deep/b.csv'), join(folder, 'link.csv'))
  t.equal((await findFile(folder, 'link.csv')).bytes, 8)
})

t.test('the folder may itself be a symbolic link', async t => {
  const { folder } = setup(t)
  symlinkSync(folder, `${folder}-link`)
  t.equal((await findFile(`${folder}-link`, 'a.csv')).bytes, 4)
})

t.test('refuses every path that leads out of the folder', async t => {
  const { folder, outside } = setup(t)
  symlinkSync(join(outside, 'secret.csv'), join(folder, 'link.csv'))
  symlinkSync(outside, join(folder, 'linked'))

  const refused: Array<[unknown, RegExp]> = [
    [join(folder, 'a.csv'), /must be a path below the CSV folder, not an absolute one$/],
    ['/etc/passwd', /not an absolute one$/],
    ['C:\\windows\\win.ini', /not an absolute one$/],
    ['../outside/secret.csv', /must be a path below the CSV folder, without ".."$/],
    ['deep/../a.csv', /without ".."$/],
    ['deep\\..\\..\\a.csv', /without ".."$/],
    ['link.csv', /^link.csv: leads out of the CSV folder$/],
    ['linked/secret.csv', /^linked\/secret.csv: leads out of the CSV folder$/]
  ]
  for (const [name, message] of refused) {
    await t.rejects(findFile(folder, name), { name: 'UnrecoverableError', message }, String(name))
  }
})

t.test('refuses values that are not file names', async t => {
  const { folder } = setup(t)
  for (const name of [undefined, null, 7, '', ['a.csv'], { file: 'a.csv' }]) {
    await t.rejects(findFile(folder, name), { name: 'UnrecoverableError', message: /^data.file must name a CSV file/ })
  }
  await t.rejects(findFile(folder, 'a\0.csv'), { message: 'data.file holds control characters' })
  await t.rejects(findFile(folder, 'a\n.csv'), { message: 'data.file holds control characters' })
  await t.rejects(findFile(folder, 'x'.repeat(256)), { message: 'data.file is longer than 255 characters' })
})

t.test('reports faults of a file with its name, not its path', async t => {
  const { folder } = setup(t)
  symlinkSync('circle.csv', join(folder, 'circle.csv'))

  await t.rejects(findFile(folder, 'sales.csv'), new UnrecoverableError('sales.csv: no such file'))
  await t.rejects(findFile(folder, 'a.csv/b.csv'), new UnrecoverableError('a.csv/b.csv: no such file'))
  await t.rejects(findFile(folder, 'deep'), new UnrecoverableError('deep: is not a file'))
  await t.rejects(findFile(folder, '.'), { message: '.: leads out of the CSV folder' })
  await t.rejects(findFile(folder, 'circle.csv'), { message: 'circle.csv: is a symbolic link that leads to itself' })
})

t.test('with a missing folder the job keeps its attempts', async t => {
  const error: Error = await findFile('/no/such/folder', 'a.csv').catch(error => error)
  t.equal(error.name, 'Error')
})

function setup (t: TestContext) {
  const parent = temporaryFolder(t, 'csv')
  const folder = join(parent, 'folder')
  const outside = join(parent, 'outside')
  mkdirSync(join(folder, 'deep'), { recursive: true })
  mkdirSync(outside)
  writeFileSync(join(folder, 'a.csv'), 'a\n1\n')
  writeFileSync(join(folder, '..odd.csv'), 'a\n')
  writeFileSync(join(folder, 'deep/b.csv'), 'a,b\n1,2\n')
  writeFileSync(join(outside, 'secret.csv'), 'a\n1\n')
  return { folder, outside }
}
