import { lazy, type ComponentType, type LazyExoticComponent } from 'react'
import { ListChecks, Send, Users, Webhook } from 'lucide-react'
import type { Scope } from './session/use-can.ts'

/** What a page gets: the parts of its path, decoded. */
export interface PageProps { params: Record<string, string> }

type Load = () => Promise<{ default: ComponentType<PageProps> }>

interface RouteParts {
  /** Below the base of the dashboard: `/jobs/:id`. */
  path: string
  /** What its pages are called where the token does not allow them. */
  title: string
  /** The code of the page. */
  load: Load
  /** In the navigation; pages without it are reached from others. */
  nav?: { label: string, icon: ComponentType<{ size?: number }>, /** Second key after `g`. */ key: string }
  /** Without this scope the page is not offered. The services enforce it in any case. */
  scope?: Scope
}

export interface PageRoute extends RouteParts { page: LazyExoticComponent<ComponentType<PageProps>> }

const parts: RouteParts[] = [
  {
    path: '/jobs',
    title: 'Jobs',
    load: () => import('./jobs/jobs-page.tsx'),
    nav: { label: 'Jobs', icon: ListChecks, key: 'j' },
    scope: 'jobs:read'
  },
  { path: '/jobs/:id', title: 'Job', load: () => import('./jobs/job-page.tsx'), scope: 'jobs:read' },
  {
    path: '/webhooks',
    title: 'Webhooks',
    load: () => import('./webhooks/webhooks-page.tsx'),
    nav: { label: 'Webhooks', icon: Webhook, key: 'w' },
    scope: 'webhooks:read'
  },
  {
    path: '/webhooks/new',
    title: 'New webhook',
    load: () => import('./webhooks/new-webhook-page.tsx'),
    scope: 'webhooks:write'
  },
  {
    path: '/webhooks/:id/:part?',
    title: 'Webhook',
    load: () => import('./webhooks/webhook-page.tsx'),
    scope: 'webhooks:read'
  },
  {
    path: '/deliveries',
    title: 'Deliveries',
    load: () => import('./deliveries/deliveries-page.tsx'),
    nav: { label: 'Deliveries', icon: Send, key: 'd' },
    scope: 'webhooks:read'
  },
  {
    path: '/deliveries/:id',
    title: 'Delivery',
    load: () => import('./deliveries/delivery-page.tsx'),
    scope: 'webhooks:read'
  },
  { path: '/e/:id?', title: 'Event', load: () => import('./events/event-page.tsx') },
  {
    path: '/operators',
    title: 'All users',
    load: () => import('./operators/operators-page.tsx'),
    nav: { label: 'All users', icon: Users, key: 'u' },
    scope: 'operator:read'
  }
]

/** All pages. The first match counts. A page's code is loaded when it is first shown. */
export const routes: PageRoute[] = parts.map(each => ({ ...each, page: lazy(each.load) }))
