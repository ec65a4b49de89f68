import type { CreatedWebhook, LegacyWebhook, Webhook } from '@tidings/contracts'
import type { WebhookWithSecret } from './create-webhook.ts'
import { toLegacyWebhook } from './legacy-webhook.ts'
import { readHealth, type HealthSource } from './webhook-health.ts'
import { toWebhook, type WebhookRow } from './webhook-row.ts'

/** Webhooks as their owner sees them, with the health of their endpoints. */
export async function showWebhooks (source: HealthSource, rows: WebhookRow[]): Promise<Webhook[]> {
  const healthOf = await readHealth(source, rows)
  return rows.map(row => toWebhook(row, healthOf(row)))
}

export async function showWebhook (source: HealthSource, row: WebhookRow): Promise<Webhook> {
  const healthOf = await readHealth(source, [row])
  return toWebhook(row, healthOf(row))
}

export async function showCreated (
  source: HealthSource, { row, secret }: WebhookWithSecret
): Promise<CreatedWebhook> {
  return { ...await showWebhook(source, row), secret }
}

export async function showLegacyWebhook (source: HealthSource, row: WebhookRow): Promise<LegacyWebhook> {
  const healthOf = await readHealth(source, [row])
  return toLegacyWebhook(row, healthOf(row))
}
