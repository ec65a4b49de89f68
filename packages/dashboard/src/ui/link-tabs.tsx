import { Link, useLocation } from 'wouter'
import styles from './link-tabs.module.css'

/** Parts of a page, each with an address of its own. */
export function LinkTabs ({ label, tabs }: { label: string, tabs: { label: string, href: string }[] }) {
  const [location] = useLocation()
  return (
    <nav aria-label={label} className={styles.tabs}>
      {tabs.map(({ label, href }) => (
        <Link key={href} href={href} className={styles.tab} aria-current={location === href ? 'page' : undefined}>
          {label}
        </Link>
      ))}
    </nav>
  )
}
