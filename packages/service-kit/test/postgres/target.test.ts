import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { temporaryFolder } from '@tidings/testing'
import { postgresTarget } from '../../src/postgres/target.ts'

const read = (url: string, env: NodeJS.ProcessEnv = {}) => postgresTarget(url, { HOME: '/nowhere', ...env })

const STRINGS: Record<string, [url: string, expected: object, ignored?: string[]]> = {
  plain: ['postgres://u:p@db.example:5433/app', {
    host: ['db.example'], port: [5433], user: 'u', password: 'p', database: 'app', ssl: 'prefer'
  }],
  loopback: ['postgres://u:p@127.0.0.1/app', { host: ['127.0.0.1'], port: [5432], ssl: false }],
  Neon: [
    'postgresql://u:npg_x@ep-cool-1.eu-central-1.aws.neon.tech/neondb?sslmode=require&channel_binding=require',
    { host: ['ep-cool-1.eu-central-1.aws.neon.tech'], ssl: 'require', connection: { application_name: 'tidings' } },
    ['channel_binding']
  ],
  'Neon without SNI': [
    'postgres://u:p@h/neondb?options=endpoint%3Dep-cool-1', { connection: { options: 'endpoint=ep-cool-1' } }
  ],
  Supabase: [
    'postgresql://postgres.abc:pw@aws-0-eu.pooler.supabase.com:5432/postgres',
    { host: ['aws-0-eu.pooler.supabase.com'], port: [5432], user: 'postgres.abc', database: 'postgres' }
  ],
  Prisma: [
    'postgresql://u:p@h:5432/db?schema=public&connection_limit=5&pool_timeout=10&pgbouncer=true&sslaccept=strict',
    { ssl: { rejectUnauthorized: true }, connection: { application_name: 'tidings' } },
    ['schema', 'connection_limit', 'pool_timeout', 'pgbouncer']
  ],
  Heroku: ['postgres://u:p@ec2-1.compute-1.amazonaws.com:5432/d4', { ssl: 'prefer' }],
  RDS: ['postgres://u:p@x.rds.amazonaws.com/db?sslmode=no-verify', { ssl: 'require' }],
  'off, as others write it': ['postgres://u:p@h/db?ssl=false', { ssl: false }],
  verified: ['postgres://u:p@h/db?sslmode=verify-full', { ssl: { rejectUnauthorized: true } }],
  'a password in percent codes': ['postgres://u:p%40ss%2Fw%3A%23@h/db', { password: 'p@ss/w:#', host: ['h'] }],
  'a password that nobody encoded': [
    'postgres://u:p@ss/w#rd?x@h:1/db', { password: 'p@ss/w#rd?x', host: ['h'], port: [1], database: 'db' }
  ],
  'a stray percent sign': ['postgres://u:50%off@h/db', { password: '50%off' }],
  IPv6: ['postgres://u:p@[::1]:5433/db', { host: ['::1'], port: [5433], ssl: false }],
  'a socket': ['postgres://u@/db?host=/var/run/postgresql', {
    path: '/var/run/postgresql/.s.PGSQL.5432', user: 'u', database: 'db', ssl: false
  }],
  'a socket in the place of the host': [
    'postgres://u@%2Fvar%2Frun%2Fpostgresql:5433/db', { path: '/var/run/postgresql/.s.PGSQL.5433' }
  ],
  'several hosts': ['postgres://u:p@a:1,b:2,[::1]:3/db', {
    host: ['a', 'b', '::1'], port: [1, 2, 3], target_session_attrs: 'read-write'
  }],
  'several hosts of one port': ['postgres://u:p@a,b/db?target_session_attrs=primary', {
    host: ['a', 'b'], port: [5432, 5432], target_session_attrs: 'primary'
  }],
  'all in the query': [
    'postgresql:///db?host=h&port=1&user=u&password=p', { host: ['h'], port: [1], user: 'u', password: 'p' }
  ],
  'settings of the server': ['postgres://u:p@h/db?application_name=a&statement_timeout=1000', {
    connection: { application_name: 'a', statement_timeout: '1000' }
  }]
}

for (const [name, [url, expected, ignored = []]] of Object.entries(STRINGS)) {
  t.test(`a connection string is understood: ${name}`, async t => {
    const target = read(url)
    t.match(target.options, expected)
    t.same(target.faults, [])
    t.same(target.ignored, ignored)
  })
}

t.test('an unusable URL is refused with a reason', async t => {
  const faultOf = (url: string) => read(url).faults.join()
  t.match(faultOf('postgres://u:p@db.abc.supabase.co:6543/postgres'), /6543.*session pooler/)
  t.match(faultOf('postgres://u:p@aws-0-eu.pooler.supabase.com:6543/postgres?pgbouncer=true'), /6543/)
  t.match(faultOf('postgres://u:p@ep-cool-1-pooler.eu-central-1.aws.neon.tech/db'), /without "-pooler"/)
  t.match(faultOf('postgres://u:p@h/db?sslmode=sometimes'), /sslmode must be one of/)
  t.match(faultOf('postgres://u:p@h/db?sslrootcert=/no/such/file'), /sslrootcert cannot be read.*ENOENT/)
  t.match(faultOf('postgres://u:p@h:nine/db'), /port of h/)
  t.match(faultOf('postgres://u:p@h/db?target_session_attrs=fast'), /target_session_attrs/)
})

t.test('a given authority is verified, the host name only where the mode demands it', async t => {
  const ca = join(temporaryFolder(t), 'ca.pem')
  writeFileSync(ca, 'an authority')
  t.match(read(`postgres://h/db?sslrootcert=${ca}`).options.ssl, {
    ca: 'an authority', rejectUnauthorized: true, checkServerIdentity: undefined
  })
  t.match(read(`postgres://h/db?sslmode=require&sslrootcert=${ca}`).options.ssl, {
    ca: 'an authority', rejectUnauthorized: true, checkServerIdentity: Function
  })
  t.match(read('postgres://h/db?sslmode=verify-full&sslrootcert=system').options.ssl, { rejectUnauthorized: true })
})

t.test('a password that is not in the URL is read from where libpq reads it', async t => {
  const file = join(temporaryFolder(t), 'pgpass')
  writeFileSync(file, '# ours\nother:*:*:u:no\n*:5432:app:u:se\\:cret\n')
  const passwordFor = (url: string, env: NodeJS.ProcessEnv) => read(url, env).options.password
  t.equal(passwordFor('postgres://u@h/app', { PGPASSFILE: file }), 'se:cret')
  t.equal(passwordFor('postgres://u@h/other', { PGPASSFILE: file }), '')
  t.equal(passwordFor('postgres://u@h/app', { PGPASSFILE: file, PGPASSWORD: 'first' }), 'first')
})
