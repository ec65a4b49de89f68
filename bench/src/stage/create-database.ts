import postgres from 'postgres'

/** The role that owns the cluster of `npm start`; the role of the services may not create databases. */
const OWNER = 'tidings_owner'
/** duplicate_database, and unique_violation where two processes create it at once. */
const ALREADY_THERE = ['42P04', '23505']

/**
 * Creates a database beside the one of `url`, for the same role, unless it exists, and returns its URL. The password of
 * both roles is the same, since the bench gives none of its own (infra/local, secrets.ts).
 */
export async function createDatabase (url: string, name: string): Promise<string> {
  const own = new URL(url)
  own.pathname = name
  const asOwner = new URL(url)
  asOwner.username = OWNER
  asOwner.pathname = 'postgres'
  const admin = postgres(asOwner.href, { max: 1, onnotice: () => {} })
  await admin`create database ${admin(name)} owner ${admin(own.username)}`.catch((err: { code?: string }) => {
    if (!ALREADY_THERE.includes(err.code ?? '')) throw err
  })
  await admin.end()
  return own.href
}
