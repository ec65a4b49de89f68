/** All faults of the environment, one a line. */
export class ConfigError extends Error {
  constructor (faults: string[]) {
    super(`Configuration is not valid:\n${faults.map(fault => `  - ${fault}`).join('\n')}`)
    this.name = 'ConfigError'
  }
}
