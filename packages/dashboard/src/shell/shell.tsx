import { useState, type ReactNode } from 'react'
import { Link, useLocation } from 'wouter'
import { Keyboard, LogOut, Monitor, Moon, Sun, UserRound } from 'lucide-react'
import { Undo } from '../bulk/undo.tsx'
import { useStored } from '../lib/stored.ts'
import { LiveBadge } from '../live/live-badge.tsx'
import { useActing, useMe } from '../live/tidings.tsx'
import type { PageRoute } from '../routes.tsx'
import { isEmbedded } from '../session/embedding.ts'
import { session } from '../session/session.ts'
import { basePath, settings } from '../settings.ts'
import { Badge } from '../ui/badge.tsx'
import { IconButton } from '../ui/button.tsx'
import { timeStyle, zone, zoneName } from '../ui/time-format.ts'
import { useVisibleRoutes } from '../visible-routes.ts'
import { Help } from './help.tsx'
import { useShortcut } from './shortcuts.ts'
import styles from './shell.module.css'
import { theme } from './theme.ts'

/** What surrounds each page: where one can go, the state of the connection, and settings of this browser. */
export function Shell ({ children }: { children: ReactNode }) {
  const [isHelpOpen, setHelpOpen] = useState(false)
  const [, navigate] = useLocation()
  useShortcut('?', 'Show this list', () => setHelpOpen(true))
  useShortcut('g e', 'Find an event by its id', () => navigate('/e'))
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href='#content' onClick={skip}>Skip to the content</a>
      <header className={styles.top}>
        <Link href='/' className={styles.brand}>
          <img src={settings.logo || './icon.svg'} alt='' width={22} height={22} />
          <span>{settings.title}</span>
        </Link>
        {settings.environment && (
          <Badge tone={/^prod/i.test(settings.environment) ? 'bad' : 'warn'}>{settings.environment}</Badge>
        )}
        <span className={styles.space} />
        <LiveBadge />
      </header>
      <nav className={styles.nav} aria-label='Pages'>
        <ul>{useNavRoutes().map(route => <NavItem key={route.path} route={route} />)}</ul>
        <Foot onHelp={() => setHelpOpen(true)} />
      </nav>
      <main id='content' className={styles.main} tabIndex={-1}><Acting />{children}</main>
      <Undo />
      <Help isOpen={isHelpOpen} onClose={() => setHelpOpen(false)} />
    </div>
  )
}

/** Says in whose place an operator acts, on every page of that user. */
function Acting () {
  const userId = useActing()
  if (userId === undefined) return null
  return (
    <p className={styles.acting}>
      <UserRound size={15} aria-hidden />
      <span>You see and change what belongs to user <b>{userId}</b>. Each request is logged.</span>
      <Link href={`~${basePath}/operators`}>Back to your own pages</Link>
    </p>
  )
}

/** A link to `#content` would lead away from a page whose `<base>` is another address. */
function skip (event: { preventDefault: () => void }) {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

type NavRoute = PageRoute & { nav: NonNullable<PageRoute['nav']> }

function useNavRoutes (): NavRoute[] {
  return useVisibleRoutes().filter((route): route is NavRoute => route.nav !== undefined)
}

function NavItem ({ route: { path, nav: { label, icon: Icon, key } } }: { route: NavRoute }) {
  const [location, navigate] = useLocation()
  useShortcut(`g ${key}`, `Go to ${label}`, () => navigate(path))
  const isCurrent = location === path || location.startsWith(`${path}/`)
  return (
    <li>
      <Link href={path} className={styles.item} aria-current={isCurrent ? 'page' : undefined}>
        <Icon size={17} aria-hidden />{label}
      </Link>
    </li>
  )
}

const THEMES = { system: Monitor, light: Sun, dark: Moon }

function Foot ({ onHelp }: { onHelp: () => void }) {
  const me = useMe()
  const shownTheme = useStored(theme)
  const shownZone = useStored(zone)
  const style = useStored(timeStyle)
  const Icon = THEMES[shownTheme]
  const zoneText = shownZone === 'utc' ? 'UTC' : `Local ${zoneName('local')}`
  const styleText = style === 'relative' ? 'Relative' : 'Exact'
  const nextTheme = ({ system: 'light', light: 'dark', dark: 'system' } as const)[shownTheme]
  return (
    <div className={styles.foot}>
      <div className={styles.times}>
        <button
          type='button' className={styles.choice}
          onClick={() => zone.set(shownZone === 'utc' ? 'local' : 'utc')}
          aria-label={`${zoneText}: change the zone of times`}
        >
          {zoneText}
        </button>
        <button
          type='button' className={styles.choice}
          onClick={() => timeStyle.set(style === 'relative' ? 'exact' : 'relative')}
          aria-label={`${styleText}: change how times are written`}
        >
          {styleText}
        </button>
      </div>
      <div className={styles.user}>
        <span className={styles.who} title={me?.scopes.join(' ')}>{me && <>User <b>{String(me.userId)}</b></>}</span>
        <IconButton label='Keys' onClick={onHelp}><Keyboard size={16} aria-hidden /></IconButton>
        <IconButton label={`Colours: ${shownTheme}; change to ${nextTheme}`} onClick={() => theme.set(nextTheme)}>
          <Icon size={16} aria-hidden />
        </IconButton>
        {!isEmbedded && (
          <IconButton label='Sign out' onClick={session.signOut}><LogOut size={16} aria-hidden /></IconButton>
        )}
      </div>
    </div>
  )
}
