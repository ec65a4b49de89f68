import t from 'tap'
import { createDatabase, TEST_SECRET } from '@tidings/testing'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'

const OLD = 'the key of last year'
const NEW = 'the key of this year'

t.test('secrets are encrypted with the new key at the next start, and the old one can be removed', async t => {
  const { url, sql } = await createDatabase(t)
  const start = async (keys: Record<string, string>) => {
    const app = buildApp(
      loadConfig({
        NODE_ENV: 'test',
        LOG_LEVEL: 'silent',
        TOKEN_SECRET: TEST_SECRET,
        DATABASE_URL: url,
        REDIS_URL: 'redis://127.0.0.1:1',
        ...keys
      })
    )
    t.teardown(() => app.close())
    await app.ready()
    return app
  }
  const before = await start({ WEBHOOK_SECRET_KEY: OLD })
  const rows = Array.from(
    { length: 1203 }, (_, i) => ({ user_id: `user-${i}`, ciphertext: before.secretBox.seal(`whsec_${i}`) })
  )
  await sql`insert into webhooks.secrets ${sql(rows)}`
  await before.close()

  await t.rejects(start({ WEBHOOK_SECRET_KEY: NEW }), { name: 'UnknownKey' }, 'without the old key it does not start')

  const changed = await start({ WEBHOOK_SECRET_KEY: NEW, WEBHOOK_SECRET_KEYS: OLD })
  await changed.close()

  const after = await start({ WEBHOOK_SECRET_KEY: NEW })
  const opened = (await sql`select user_id, ciphertext from webhooks.secrets`).map(
    ({ user_id: user, ciphertext }) => [user, after.secretBox.open(ciphertext)]
  )
  t.same(Object.fromEntries(opened), Object.fromEntries(rows.map((_, i) => [`user-${i}`, `whsec_${i}`])))
})
