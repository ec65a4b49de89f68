import { Lock, LogOut } from 'lucide-react'
import { useActing, useMe } from '../live/tidings.tsx'
import { PageHead } from '../shell/page.tsx'
import { Button, ButtonLink } from '../ui/button.tsx'
import { Empty } from '../ui/states.tsx'
import { useVisibleRoutes } from '../visible-routes.ts'
import { isEmbedded } from './embedding.ts'
import styles from './not-allowed.module.css'
import { session } from './session.ts'
import { enough, type Scope } from './use-can.ts'

/** In place of a page that the token does not allow: what is missing, how one gets it, and what is allowed. */
export function NotAllowed ({ title, scope }: { title: string, scope: Scope }) {
  const scopes = useMe()?.scopes ?? []
  const [needed] = enough(scope, useActing() !== undefined)
  const pages = useVisibleRoutes().flatMap(({ path, nav }) => nav ? [{ path, ...nav }] : [])
  return (
    <>
      <PageHead title={title} />
      <Empty title='Your token does not allow this page' icon={<Lock size={22} />}>
        <p>It needs the scope <code>{needed}</code>, which the token lacks.</p>
        <p>
          The application that issues your tokens can add it to their <code>scope</code>. On your machine:{' '}
          <code>npm run token -- --scope &apos;{[...scopes, needed].join(' ')}&apos;</code>
        </p>
        <p>{scopes.length > 0 ? <>This token has <code>{scopes.join(' ')}</code>.</> : 'This token has no scope.'}</p>
        <div className={styles.actions}>
          {pages.map(({ path, label, icon: Icon }) => (
            <ButtonLink key={path} href={path} icon={<Icon size={15} />}>{label}</ButtonLink>
          ))}
          {!isEmbedded && (
            <Button icon={<LogOut size={15} aria-hidden />} onClick={session.signOut}>Use another token</Button>
          )}
        </div>
      </Empty>
    </>
  )
}
