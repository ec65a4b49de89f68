import manifest from '../package.json' with { type: 'json' }

/** Of this command line, and of the release that it belongs to. */
export const VERSION: string = manifest.version
