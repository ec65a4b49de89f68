/**
 * How every service reads a path. Clients that join a base URL and a path leave a slash too many, before, between or
 * behind; it means nothing else here.
 */
export const ROUTER_OPTIONS = {
  ignoreTrailingSlash: true,
  ignoreDuplicateSlashes: true,
  // A job id of 256 characters, each of them three bytes and so nine characters of a URL.
  maxParamLength: 2304
}
