/**
 * How every service parses a path. Clients that join a base URL and a path often leave an additional slash; it has no
 * other meaning here.
 */
export const ROUTER_OPTIONS = {
  ignoreTrailingSlash: true,
  ignoreDuplicateSlashes: true,
  // A job id of 256 characters of three bytes, each of which takes nine characters in a URL.
  maxParamLength: 2304
}
