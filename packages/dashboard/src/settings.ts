const metaOf = (name: string): string => document.querySelector<HTMLMetaElement>(`meta[name="tidings:${name}"]`)?.content ?? ''

/** The path below which the page is served, without a slash at the end: `/dashboard`. */
export const basePath: string = new URL(document.baseURI).pathname.replace(/\/+$/, '')

/** Where the services are: beside the page. */
export const servicesUrl: string = new URL('..', document.baseURI).href.replace(/\/+$/, '')

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
  signInUrl: metaOf('sign-in')
}
