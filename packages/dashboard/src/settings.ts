const metaOf = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name="tidings:${name}"]`)?.content ?? ''

/** The path below which the page is served, without a slash at the end: `/dashboard`. */
export const basePath: string = new URL(document.baseURI).pathname.replace(/\/+$/, '')

/** Where the services are: beside the page. */
export const servicesUrl: string = new URL('..', document.baseURI).href.replace(/\/+$/, '')

const SECTIONS = ['jobs', 'webhooks', 'operators'] as const

function sectionsOf (list: string) {
  const names = list.split(/[\s,]+/)
  const known = SECTIONS.filter(section => names.includes(section))
  return known.length > 0 ? known : SECTIONS
}

/** What the operator of the server has set: the variables `DASHBOARD_TITLE` and so on. */
export const settings = {
  title: metaOf('title') || 'Tidings',
  /** A path of the same origin, or a data: URL. */
  logo: metaOf('logo'),
  /** A CSS colour. */
  accent: metaOf('accent'),
  /** As `production`: shown as a badge. */
  environment: metaOf('environment'),
  /** Where a new token comes from once the one in use has ended. */
  signInUrl: metaOf('sign-in'),
  /** The origins of the applications that may embed the page and sign its user in, with spaces between. */
  frameAncestors: metaOf('frame-ancestors'),
  /** What there is to be seen: all where nothing is set. */
  sections: sectionsOf(metaOf('sections'))
}
