/** An address without its scheme. */
export const shortUrl = (url: string): string => url.replace(/^https?:\/\//, '')
