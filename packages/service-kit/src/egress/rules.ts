import { Type } from 'typebox'

/** Variables that restrict the targets of webhooks: the same for services that accept URLs and that post to them. */
export const egressSettings = {
  WEBHOOK_ALLOW_PRIVATE: Type.Boolean({ default: false, description: 'Deliver to loopback and private networks too' }),
  WEBHOOK_REQUIRE_HTTPS: Type.Optional(
    Type.Boolean({ description: 'Refuse http:// URLs; default true in production' })
  ),
  WEBHOOK_PORTS: Type.Optional(Type.String(
    { pattern: '^\\d{1,5}(,\\d{1,5})*$', description: 'The only ports that may be delivered to; default any' }
  ))
}

export type EgressRules = {
  /** Whether loopback and private networks are allowed. */
  allowPrivate: boolean
  requireHttps: boolean
  /** The allowed ports; undefined: any. */
  ports?: readonly number[] | undefined
}

type EgressConfig = {
  WEBHOOK_ALLOW_PRIVATE: boolean, WEBHOOK_REQUIRE_HTTPS?: boolean, WEBHOOK_PORTS?: string, NODE_ENV: string
}

/** The rules for outgoing requests. */
export function egressRules (
  { WEBHOOK_ALLOW_PRIVATE, WEBHOOK_REQUIRE_HTTPS, WEBHOOK_PORTS, NODE_ENV }: EgressConfig
): EgressRules {
  return {
    allowPrivate: WEBHOOK_ALLOW_PRIVATE,
    requireHttps: WEBHOOK_REQUIRE_HTTPS ?? NODE_ENV === 'production',
    ports: WEBHOOK_PORTS?.split(',').map(Number)
  }
}
