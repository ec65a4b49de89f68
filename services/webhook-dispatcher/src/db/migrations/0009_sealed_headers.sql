-- A webhook's own headers hold credentials: they are encrypted as its secrets are, and `headers` keeps their names with a
-- mask. Headers of before stand there as they are until a dispatcher starts, which encrypts them.
alter table webhooks.webhooks add column sealed_headers text;
create or replace view webhooks.targets as
select w.id, w.user_id, w.kind, w.url, w.event_type, w.status, w.headers, w.progress_mode, w.since_ms, w.since_seq,
  w.failures, coalesce((extract(epoch from w.open_until) * 1000)::bigint, 0) as open_until,
  case when w.kind = 'own'
    then array(select s.ciphertext from webhooks.secrets s
      where s.webhook_id = w.id and (s.expires_at is null or s.expires_at > now()) order by s.id desc)
    else array(select s.ciphertext from webhooks.secrets s
      where s.webhook_id is null and s.user_id = w.user_id and (s.expires_at is null or s.expires_at > now()) order by s.id desc)
  end as ciphertexts,
  (extract(epoch from w.updated_at) * 1000000)::bigint as changed_at,
  w.sealed_headers
from webhooks.webhooks w
where w.deleted_at is null;
