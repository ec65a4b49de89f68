/**
 * Whether an If-None-Match header has the entity tag, by weak comparison (RFC 9110 §13.1.2): in a list, weak or strong,
 * or as `*`. Some clients and proxies send a weak tag back as a strong one.
 */
export function hasEtag (ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch?.split(',').map(opaqueOf) ?? []
  return tags.some(tag => tag === '*' || tag === opaqueOf(etag))
}

const opaqueOf = (tag: string) => tag.trim().replace(/^W\//, '')
