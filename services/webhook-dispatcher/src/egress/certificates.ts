import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { getCACertificates } from 'node:tls'
import { ConfigError } from '@tidings/service-kit'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * The certificates that endpoints are checked against: those that Node trusts
 * (NODE_EXTRA_CA_CERTS among them), and those of a file of the operator's own.
 *
 * @throws ConfigError where the file can't be read or holds none
 */
export function trustedCertificates (file: string): string[] {
  const own = contentOf(file).match(CERTIFICATE) ?? []
  if (own.length === 0) throw new ConfigError([`WEBHOOK_CA_FILE holds no certificate in PEM: ${file}`])
  for (const certificate of own) check(certificate, file)
  return [...getCACertificates('default'), ...own]
}

function contentOf (file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (err) {
    throw new ConfigError([`WEBHOOK_CA_FILE can't be read: ${(err as Error).message}`])
  }
}

function check (certificate: string, file: string): void {
  try {
    new X509Certificate(certificate).toString()
  } catch (err) {
    throw new ConfigError([`WEBHOOK_CA_FILE holds a malformed certificate (${(err as Error).message}): ${file}`])
  }
}
