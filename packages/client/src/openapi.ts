// Written by `npm run write-types` from docs/openapi: types only. Not to be edited.

export interface components {
  schemas: {
    Attempt: {
      /** Format: int32 */
      attempt: number;
      durations: {
        connectMs: number | null;
        dnsMs: number | null;
        /** Format: int32 */
        totalMs: number;
        ttfbMs: number | null;
      };
      errorClass: components["schemas"]["AttemptError"] | null;
      message: string | null;
      /** @description The first 16 KiB */
      responseBody: string | null;
      responseHeaders: {
        [key: string]: string;
      } | null;
      /** Format: date-time */
      startedAt: string;
      statusCode: number | null;
    };
    AttemptError: "dns" | "connect" | "tls" | "timeout" | "reset" | "too-large" | "http-4xx" | "http-5xx" | "redirect" | "blocked";
    Bulk: {
      action: components["schemas"]["BulkAction"];
      /** @description Id of the bulk action */
      bulkId: string;
      /** Format: date-time */
      createdAt: string;
      /**
      * Format: int64
      * @description Items that were retried, cancelled or are delivered again
      */
      done: number;
      /** @description The first 20 items that failed or were skipped */
      errors: components["schemas"]["BulkError"][];
      /**
      * Format: int64
      * @description Items for which that was not possible
      */
      failed: number;
      /**
      * Format: date-time
      * @description Null until then
      */
      finishedAt: string | null;
      /**
      * Format: int64
      * @description Number of items, fixed when the bulk action was requested
      */
      matched: number;
      /** @description Why the bulk action failed */
      reason: string | null;
      /**
      * Format: int64
      * @description Items that had changed meanwhile and were left as they are
      */
      skipped: number;
      state: components["schemas"]["BulkState"];
    };
    /**
    * @description retry: failed jobs; cancel: waiting, delayed and active jobs; redeliver: deliveries that are not pending
    */
    BulkAction: "retry" | "cancel" | "redeliver";
    BulkDryRun: {
      /**
      * Format: int64
      * @description Number of items, counted up to 100,000
      */
      matched: number;
      /**
      * @description There are more: a request without dryRun is a 422
      * @constant
      */
      matchedIsCapped?: true;
    };
    BulkError: {
      /** @description Id of the job or delivery */
      id: string;
      outcome: "failed" | "skipped";
      reason: string;
    };
    /** @description The newest 100, newest first */
    BulkList: {
      bulks: components["schemas"]["Bulk"][];
      /**
      * @description The service that has the redeliveries does not respond: they are missing
      * @constant
      */
      incomplete?: true;
    };
    /**
    * @description waiting: an earlier bulk action of the user runs; stopped: by its user; failed: not finished in a day
    */
    BulkState: "waiting" | "running" | "finished" | "stopped" | "failed";
    /**
    * @description State of the circuit breaker. closed: the last attempt succeeded, or there was none; failing: the last ones failed; throttled: the endpoint asked for a pause; open: too many failed, so it is paused; half-open: the pause is over, one attempt at a time shows whether it works again
    */
    CircuitState: "closed" | "failing" | "throttled" | "open" | "half-open";
    /** @description The webhook, with its secret */
    CreatedWebhook: {
      active: boolean;
      /** Format: date-time */
      createdAt: string;
      description: string | null;
      disabledReason: string | null;
      eventType: components["schemas"]["WebhookEventType"];
      /** @description The same as a list: `eventType` is `all`, the only one, or the first of several */
      eventTypes: components["schemas"]["DeliveredEventType"][];
      filter: components["schemas"]["WebhookFilter"];
      headers: {
        [key: string]: string;
      };
      health: components["schemas"]["WebhookHealth"];
      /** Format: int64 */
      id: number;
      progressMode: components["schemas"]["ProgressMode"];
      secret: string;
      status: components["schemas"]["WebhookStatus"];
      /** Format: date-time */
      updatedAt: string;
      url: string;
    };
    DeliveredEventType: "progress" | "completed" | "failed";
    /** @description The delivery with its payload and attempts */
    Delivery: {
      /** Format: int32 */
      attemptCount: number;
      attempts: components["schemas"]["Attempt"][];
      /** Format: date-time */
      createdAt: string;
      errorClass: components["schemas"]["AttemptError"] | null;
      /** @description The header `webhook-id` of each attempt */
      eventId: string;
      eventType: string;
      finishedAt: string | null;
      /** Format: int64 */
      id: number;
      /** @description Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept */
      jobId: string | null;
      /** @description Name of the job; null once the payload is no longer kept */
      name: string | null;
      /** @description Earliest time of the next attempt; null once the delivery has ended and while the webhook is not active */
      nextAttemptAt: string | null;
      origin: components["schemas"]["DeliveryOrigin"];
      /** @description Id of the redelivered delivery or of the replay */
      originId: number | null;
      /** @description The request body; null once it is no longer kept */
      payload: unknown;
      queue: string | null;
      /** @description Why the delivery was closed */
      reason: string | null;
      /** @description Why it cannot be delivered again now; null: it can */
      redeliveryBlockedBy: components["schemas"]["RedeliveryObstacle"] | null;
      status: components["schemas"]["DeliveryStatus"];
      /** @description Status of the last response */
      statusCode: number | null;
      /** @description Where it goes: the URL of the webhook, or the job's own webhookUrl */
      url: string;
      /** @description Owner of the webhook; only in a list of all users */
      userId?: number | string;
      /**
      * Format: int64
      * @description Id of the webhook
      */
      webhookId: number;
    };
    DeliveryCounts: {
      /**
      * Format: int64
      * @description Attempts that these deliveries have had
      */
      attempts: number;
      /** Format: int64 */
      closed: number;
      /** Format: int64 */
      delivered: number;
      /** Format: int64 */
      failed: number;
      /** @description Median and 95th percentile, of the delivered ones, of the time from the event, or from the creation of a redelivery, replay or test, until the success was recorded, retries included; null where none was delivered */
      latencyMs: {
        /** Format: int64 */
        p50: number | null;
        /** Format: int64 */
        p95: number | null;
      };
      /** Format: int64 */
      pending: number;
      /** Format: int64 */
      superseded: number;
    };
    DeliveryFilter: {
      /** @description Id of a bulk action that redelivers: the deliveries that it made */
      bulkId?: string;
      /** @description Id of a job event, the same in every channel */
      eventId?: string;
      /** @description Type of the event: progress, completed, failed, or several with commas */
      eventType?: string;
      /**
      * Format: int64
      * @description Created at or after: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for
      */
      from?: string | number;
      /** @description Id of the job */
      jobId?: string;
      /** @description Why the delivery exists: event, redeliver, replay, test, or several with commas */
      origin?: string;
      /**
      * Format: int64
      * @description Id of the redelivered delivery, or of the replay
      */
      originId?: number;
      /** @description Name of the BullMQ queue */
      queue?: string;
      /** @description Status of the delivery: pending, delivered, failed, superseded, closed, or several with commas */
      status?: string;
      /**
      * Format: int64
      * @description Created before: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for
      */
      to?: string | number;
      /** @description Id of a webhook, also of a deleted one */
      webhookId?: number;
    };
    /**
    * @description Why the delivery exists: an event, a redelivery, a replay or a test
    */
    DeliveryOrigin: "event" | "redeliver" | "replay" | "test";
    /** @description A page of deliveries, newest first */
    DeliveryPage: {
      deliveries: components["schemas"]["DeliverySummary"][];
      pagination: {
        /** Format: int32 */
        limit: number;
        /** @description Cursor of the next page, null at the end */
        next: string | null;
        /**
        * @description The search ended after 8,192 rows, before the page was full; `next` continues there
        * @constant
        */
        truncated?: true;
      };
    };
    DeliveryStates: {
      /** @description Webhooks of all users whose last attempts failed, or that are disabled; the longest failing first, at most 100 */
      failing: {
        disabledReason: string | null;
        /**
        * Format: date-time
        * @description Since when every attempt has failed
        */
        failingSince: string | null;
        /**
        * Format: int64
        * @description Attempts that failed in a row
        */
        failures: number;
        /**
        * Format: int64
        * @description Id of the webhook
        */
        id: number;
        /**
        * Format: date-time
        * @description No attempt is made before
        */
        openUntil: string | null;
        status: components["schemas"]["WebhookStatus"];
        url: string;
        /** @description Its user, as text */
        userId: string;
      }[];
      /**
      * Format: int64
      * @description Age difference of the newest event and the last one that was read for webhooks, in milliseconds
      */
      fanOutLagMs: number;
      /**
      * Format: int64
      * @description How long the oldest delivery that may be tried now has been due, in milliseconds
      */
      oldestDueMs: number;
      /**
      * Format: int64
      * @description Deliveries that are pending, counted up to 100,000
      */
      pending: number;
      /** @description The replicas, at most 100 */
      workers: {
        /** @description Host and process of the replica */
        host: string;
        /**
        * Format: date-time
        * @description When what it holds is taken over, unless it renews its lease
        */
        leaseUntil: string;
        /**
        * Format: int64
        * @description Shards of the stream that it reads
        */
        shards: number;
      }[];
    };
    /**
    * @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled
    */
    DeliveryStatus: "pending" | "delivered" | "failed" | "superseded" | "closed";
    /** @description The delivery */
    DeliverySummary: {
      /** Format: int32 */
      attemptCount: number;
      /** Format: date-time */
      createdAt: string;
      errorClass: components["schemas"]["AttemptError"] | null;
      /** @description The header `webhook-id` of each attempt */
      eventId: string;
      eventType: string;
      finishedAt: string | null;
      /** Format: int64 */
      id: number;
      /** @description Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept */
      jobId: string | null;
      /** @description Name of the job; null once the payload is no longer kept */
      name: string | null;
      /** @description Earliest time of the next attempt; null once the delivery has ended and while the webhook is not active */
      nextAttemptAt: string | null;
      origin: components["schemas"]["DeliveryOrigin"];
      /** @description Id of the redelivered delivery or of the replay */
      originId: number | null;
      queue: string | null;
      /** @description Why the delivery was closed */
      reason: string | null;
      status: components["schemas"]["DeliveryStatus"];
      /** @description Status of the last response */
      statusCode: number | null;
      /** @description Where it goes: the URL of the webhook, or the job's own webhookUrl */
      url: string;
      /** @description Owner of the webhook; only in a list of all users */
      userId?: number | string;
      /**
      * Format: int64
      * @description Id of the webhook
      */
      webhookId: number;
    };
    Erasure: {
      /** Format: uuid */
      erasureId: string;
      /** Format: date-time */
      requestedAt: string;
      services: {
        /** @description When all data of the user was deleted there; null until then */
        "jobs-api": string | null;
        /** @description When all data of the user was deleted there; null until then */
        "webhook-dispatcher": string | null;
      };
      state: "pending" | "done";
    };
    FinishedJobCounts: {
      /**
      * Format: int64
      * @description Jobs that completed
      */
      completed: number;
      /** @description Median and 95th percentile of the time from the last start to the end; null without a job that had started */
      durationMs: {
        /** Format: int64 */
        p50: number | null;
        /** Format: int64 */
        p95: number | null;
      };
      /**
      * Format: int64
      * @description Jobs that failed
      */
      failed: number;
    };
    Job: {
      attempts: {
        /**
        * Format: int32
        * @description How often a worker has started the job
        */
        made: number;
        /**
        * Format: int32
        * @description How often it is started by itself, as submitted. A retry on request, or a worker that was lost, adds one
        */
        max: number;
      };
      /** @description With `include=data`: what was submitted */
      data?: unknown;
      /**
      * @description With `include=data`: the data is not kept any more; that of a completed job, and of a job of another producer, is read from BullMQ, which removes it
      * @constant
      */
      dataRemoved?: true;
      /**
      * @description With `include=data`: the data is larger than 1 MiB and is not returned
      * @constant
      */
      dataTruncated?: true;
      /**
      * @description The failedReason is larger than 1 MiB; this is its beginning
      * @constant
      */
      errorTruncated?: true;
      /** @description Why the job failed, once failed */
      failedReason?: string;
      /** @description Id of the job */
      id: string;
      /** @description The last event of the job that this response reflects, null before the first */
      lastEventId: string | null;
      /** @description Name of the job, by which the worker chooses what to do */
      name: string;
      /** @description The last progress that the worker reported (any JSON), 0 until then */
      progress: unknown;
      /**
      * @description The progress is too large for this response: above 64 KiB in a list, above 1 MiB for a single job
      * @constant
      */
      progressTruncated?: true;
      /** @description Name of the BullMQ queue */
      queue: string;
      /** @description The return value of the worker, once completed */
      result?: unknown;
      /**
      * @description The result is larger than 1 MiB and was not stored
      * @constant
      */
      resultTruncated?: true;
      state: components["schemas"]["JobState"];
      timestamp: components["schemas"]["JobTimestamps"];
    };
    JobAttempt: {
      /** @description Why it failed; of a retried attempt up to 4 KiB */
      error?: string;
      /**
      * @description The error is larger than 64 KiB; this is its beginning
      * @constant
      */
      errorTruncated?: true;
      /**
      * Format: int64
      * @description Null while it runs
      */
      finished: number | null;
      /**
      * Format: int32
      * @description From 1; `attempts.made` of the job is that of the last one
      */
      number: number;
      /**
      * @description Null while it runs; `interrupted`: the job went back to the queue without an error that is known (a stall, a step, a rate limit)
      */
      outcome: "completed" | "failed" | "interrupted" | null;
      /**
      * Format: int64
      * @description Milliseconds since 1970
      */
      started: number;
    };
    JobCounts: {
      /** Format: int64 */
      active: number;
      /** Format: int64 */
      completed: number;
      /** Format: int64 */
      delayed: number;
      /** Format: int64 */
      failed: number;
      /** Format: int64 */
      waiting: number;
    };
    /** @description The webhooks that the events of the job went to */
    JobDeliveries: {
      /** @description Oldest first */
      events: components["schemas"]["NotifiedEvent"][];
      /** @description Id of the job */
      jobId: string;
      /** @description Queue of the job; null where no event of it went to a webhook */
      queue: string | null;
      /**
      * @description There are more than 500 deliveries; these are the newest. GET /deliveries has all
      * @constant
      */
      truncated?: true;
    };
    JobEvent: {
      /** @description Why the job failed; of `waiting` and `delayed`: why the attempt failed that is retried (up to 4 KiB) */
      error?: string;
      /**
      * @description The error is larger than 64 KiB; this is its beginning
      * @constant
      */
      errorTruncated?: true;
      /** @description Id of a job event, the same in every channel */
      eventId: string;
      state: components["schemas"]["JobState"];
      /** Format: int64 */
      timestamp: number;
      type: string;
    };
    JobPage: {
      jobs: components["schemas"]["JobSummary"][];
      pagination: {
        /**
        * @description Only `scanned` jobs were searched, and there are more; `next` continues behind them
        * @constant
        */
        isPartial?: true;
        /** Format: int32 */
        limit: number;
        /** @description Cursor of the next page, null at the end */
        next: string | null;
        /** Format: int32 */
        page: number;
        /** Format: int64 */
        pages: number;
        /**
        * Format: int64
        * @description Number of jobs that were searched for those of this list, where no index leads to them
        */
        scanned?: number;
        /** Format: int64 */
        total: number;
        /**
        * @description There are at least `total` jobs; counting stopped there
        * @constant
        */
        totalIsCapped?: true;
      };
    };
    /**
    * @description State of the job
    */
    JobState: "waiting" | "delayed" | "active" | "completed" | "failed";
    JobStats: {
      /** @description Oldest first, empty ones included */
      buckets: components["schemas"]["JobStatsBucket"][];
      /**
      * Format: int64
      * @description With `isPartial`: the numbers are complete from this time on, in milliseconds since 1970, and the first bucket is the one in which counting stopped
      */
      completeFrom?: number;
      /**
      * Format: int64
      * @description Start, inclusive, in milliseconds since 1970
      */
      from: number;
      /**
      * @description There were more than the 200,000 jobs that are read: only the newest are counted
      * @constant
      */
      isPartial?: true;
      /**
      * Format: int64
      * @description Length of a bucket in milliseconds; the last one ends at `to`
      */
      step: number;
      /**
      * Format: int64
      * @description End, exclusive
      */
      to: number;
      total: components["schemas"]["FinishedJobCounts"];
    };
    JobStatsBucket: {
      /**
      * Format: int64
      * @description Jobs that completed
      */
      completed: number;
      /** @description Median and 95th percentile of the time from the last start to the end; null without a job that had started */
      durationMs: {
        /** Format: int64 */
        p50: number | null;
        /** Format: int64 */
        p95: number | null;
      };
      /**
      * Format: int64
      * @description Jobs that failed
      */
      failed: number;
      /**
      * Format: int64
      * @description Start of the bucket, in milliseconds since 1970
      */
      from: number;
    };
    JobSummary: {
      /** @description Id of the job */
      id: string;
      /** @description The last event of the job that this response reflects, null before the first */
      lastEventId: string | null;
      /** @description Name of the job, by which the worker chooses what to do */
      name: string;
      /** @description The last progress that the worker reported (any JSON), 0 until then */
      progress: unknown;
      /**
      * @description The progress is too large for this response: above 64 KiB in a list, above 1 MiB for a single job
      * @constant
      */
      progressTruncated?: true;
      /** @description Name of the BullMQ queue */
      queue: string;
      state: components["schemas"]["JobState"];
      timestamp: components["schemas"]["JobTimestamps"];
      /**
      * Format: int64
      * @description Owner of the job, in a list of the jobs of all users
      */
      userId?: string | number;
    };
    JobTimeline: {
      /** @description With `include=progress`: the attempts that are in `events`, oldest first */
      attempts?: components["schemas"]["JobAttempt"][];
      /** @description Oldest first; the newest 1,000 */
      events: components["schemas"]["JobEvent"][];
      /** @description With `include=progress`: the first progress of each tenth of a second, and the last one; of more than 200, the first, the last, and others at one distance. Oldest first */
      progress?: components["schemas"]["ProgressSample"][];
    };
    JobTimestamps: {
      /**
      * Format: int64
      * @description Milliseconds since 1970
      */
      created: number;
      /** Format: int64 */
      finished: number | null;
      /** Format: int64 */
      started: number | null;
    };
    /** @description The legacy webhookUrl */
    LegacyWebhook: {
      /** Format: date-time */
      createdAt: string;
      disabledReason: string | null;
      health: components["schemas"]["WebhookHealth"];
      status: components["schemas"]["WebhookStatus"];
      /** Format: date-time */
      updatedAt: string;
      webhookUrl: string;
    };
    Me: {
      /** @description When the token ends, in milliseconds; null: never */
      expiresAt: number | null;
      /** @description What the token allows; words of its claim that are no scopes are left out */
      scopes: components["schemas"]["Scope"][];
      /** @description A number where the id is one, otherwise a text */
      userId: number | string;
    };
    NewBulk: components["schemas"]["NewJobBulk"] | components["schemas"]["NewDeliveryBulk"];
    NewDeliveryBulk: {
      action: components["schemas"]["BulkAction"];
      /** @description Only counts the items */
      dryRun?: boolean | null;
      filter?: components["schemas"]["DeliveryFilter"];
      /** @description Ids of deliveries, in place of `filter`; at most 10,000 */
      ids?: number[];
    };
    NewJob: {
      attempts?: number | null;
      backoff?: {
        /** @description Milliseconds */
        delay: number;
        type: "fixed" | "exponential";
      } | null;
      /** @description Data for the worker; the server sets `userId` in it */
      data?: {
        [key: string]: unknown;
      } | null;
      /**
      * Format: int64
      * @description Milliseconds to wait before the job may start
      */
      delay?: number | null;
      /** @description Name of the job, by which the worker chooses what to do */
      name: string;
      /** @description 0 (the default) runs first, then 1, 2, … */
      priority?: number | null;
      /** @description Name of the BullMQ queue */
      queue?: string | null;
      /**
      * @description Events that `webhookUrl` receives: the completion (the default), the failure, or all, with progress
      */
      webhookEventType?: "completed" | "failed" | "all" | null;
      /**
      * Format: url
      * @description Receives the events of this job that `webhookEventType` selects
      */
      webhookUrl?: string | null;
    };
    NewJobBulk: {
      action: components["schemas"]["BulkAction"];
      /** @description Only counts the items */
      dryRun?: boolean | null;
      filter?: {
        /** @description Id of a bulk action on jobs: those that it retried or cancelled */
        bulkId?: string;
        /**
        * Format: int64
        * @description Jobs created (with `sort=finished`: finished) at or after this time: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for
        */
        from?: string | number;
        /** @description Name of the job, by which the worker chooses what to do */
        name?: string;
        /** @description Beginning of an id, or part of a name or of a failedReason, taken literally; the case matters in ids only. Searches the newest 100,000 jobs that the other filters leave: `pagination.isPartial` says whether there are more */
        q?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /**
        * @description Key of the order and of `from` and `to`; `finished` lists ended jobs
        */
        sort?: "created" | "finished";
        /** @description States of the jobs */
        status?: components["schemas"]["JobState"][];
        /**
        * Format: int64
        * @description Jobs created (with `sort=finished`: finished) before this time: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for
        */
        to?: string | number;
      };
      /** @description Ids of jobs, in place of `filter`; at most 10,000 */
      ids?: string[];
    };
    NewJobs: {
      jobs: components["schemas"]["NewJob"][];
    };
    NewLegacyWebhook: {
      /** Format: date-time */
      createdAt?: string;
      disabledReason?: string | null;
      health?: components["schemas"]["WebhookHealth"];
      status?: components["schemas"]["WebhookStatus"];
      /** Format: date-time */
      updatedAt?: string;
      /** Format: url */
      webhookUrl: string;
    };
    NewReplay: {
      /** @description Only counts the deliveries; nothing is sent */
      dryRun?: boolean | null;
      eventTypes?: components["schemas"]["DeliveredEventType"][] | null;
      /** @description A time, or the id of the last event that is not replayed */
      since: string;
      /**
      * @description Only events whose delivery to this webhook has failed, and that no redelivery or replay has delivered since or will deliver
      */
      status?: "failed" | null;
      /** @description A time, which is not included, or the id of the last event that is replayed; the newest by default */
      until?: string | null;
    };
    NewWebhook: {
      active?: boolean | null;
      description?: string | null;
      /**
      * @description Events that the webhook receives
      */
      eventType?: "progress" | "completed" | "failed" | "all" | null;
      eventTypes?: components["schemas"]["DeliveredEventType"][] | null;
      /** @description Of which jobs the webhook receives events: those that match each list; without a list any */
      filter?: {
        /** @description Only events of jobs with these names */
        names?: string[] | null;
        /** @description Only events of jobs in these queues */
        queues?: string[] | null;
      } | null;
      /** @description Up to 20 custom headers. Stored encrypted and shown as ••••; sending •••• back keeps a value */
      headers?: {
        [key: string]: string;
      } | null;
      /**
      * @description latest: of several pending progress events of a job, only the newest is delivered
      */
      progressMode?: "all" | "latest" | null;
      /** Format: url */
      url: string;
    };
    NotifiedEvent: {
      /** @description One per webhook, then redeliveries and replays, oldest first */
      deliveries: components["schemas"]["DeliverySummary"][];
      /** @description Id of the event: the header `webhook-id` of each attempt */
      eventId: string;
      eventType: string;
    };
    Problem: {
      detail?: string;
      errors?: {
        message: string;
        path: string;
      }[];
      instance?: string;
      /** Format: int32 */
      status: number;
      title: string;
      type: string;
    };
    /**
    * @description latest: of several pending progress events of a job, only the newest is delivered
    */
    ProgressMode: "all" | "latest";
    ProgressSample: {
      /** @description What the worker reported */
      progress: unknown;
      /**
      * @description The progress has more than 512 characters and is left out of the samples
      * @constant
      */
      progressTruncated?: true;
      /**
      * Format: int64
      * @description When it was reported, in milliseconds since 1970
      */
      timestamp: number;
    };
    QueueStates: {
      /**
      * Format: int64
      * @description Age difference of the newest event and the newest one that is in Postgres, in milliseconds
      */
      projectorLagMs: number;
      /** @description Those of JOB_QUEUES, in its order */
      queues: {
        /**
        * Format: int64
        * @description Jobs that a worker holds
        */
        active: number;
        /**
        * Format: int64
        * @description Jobs that wait for their time, or for a retry
        */
        delayed: number;
        /** @description Workers take no jobs */
        isPaused: boolean;
        /** @description Name of the BullMQ queue */
        queue: string;
        /**
        * Format: int64
        * @description Events of BullMQ that are not relayed yet
        */
        relayBacklog: number;
        /**
        * Format: int64
        * @description Jobs that wait for a worker, those with a priority too
        */
        waiting: number;
        /**
        * Format: int64
        * @description Jobs that wait for their children
        */
        waitingChildren: number;
      }[];
      stream: {
        /**
        * Format: int64
        * @description Memory of Redis that it uses
        */
        bytes: number;
        /**
        * Format: int64
        * @description Events in the stream
        */
        events: number;
      };
    };
    RedeliveryObstacle: "pending" | "webhook-deleted" | "webhook-disabled" | "payload-gone";
    RefreshRequest: {
      /** @description The latest refresh token */
      refreshToken: string;
    };
    /** @description The replay, and what became of its deliveries */
    Replay: {
      conditions: components["schemas"]["ReplayConditions"];
      /** Format: date-time */
      createdAt: string;
      /**
      * Format: int64
      * @description Deliveries created so far
      */
      deliveries: number;
      finishedAt: string | null;
      /** Format: int64 */
      id: number;
      outcomes: components["schemas"]["ReplayOutcomes"];
      status: components["schemas"]["ReplayStatus"];
      /** Format: int64 */
      webhookId: number;
    };
    /** @description What was requested */
    ReplayConditions: {
      eventTypes?: string[];
      since?: string;
      status?: "failed";
      until?: string;
    };
    /** @description A dry run */
    ReplayMatches: {
      /**
      * Format: int64
      * @description Deliveries that the replay would create
      */
      matched: number;
      /**
      * @description Counting stopped after 100,000 events of that time: there may be more
      * @constant
      */
      matchedIsCapped?: true;
    };
    /** @description What became of its deliveries, by status */
    ReplayOutcomes: {
      /** Format: int64 */
      closed: number;
      /** Format: int64 */
      delivered: number;
      /** Format: int64 */
      failed: number;
      /**
      * @description More than 10,000 deliveries to the webhook have failed since: `failed` and `closed` are minimums, `delivered` is a maximum
      * @constant
      */
      isCapped?: true;
      /** Format: int64 */
      pending: number;
    };
    /** @description A page of replays, newest first */
    ReplayPage: {
      pagination: {
        /** Format: int32 */
        limit: number;
        /** @description Cursor of the next page, null at the end */
        next: string | null;
      };
      replays: components["schemas"]["ReplaySummary"][];
    };
    /**
    * @description running: deliveries are still being created; finished: all are created, though some may be pending
    */
    ReplayStatus: "running" | "finished" | "stopped";
    /** @description The replay */
    ReplaySummary: {
      conditions: components["schemas"]["ReplayConditions"];
      /** Format: date-time */
      createdAt: string;
      /**
      * Format: int64
      * @description Deliveries created so far
      */
      deliveries: number;
      finishedAt: string | null;
      /** Format: int64 */
      id: number;
      status: components["schemas"]["ReplayStatus"];
      /** Format: int64 */
      webhookId: number;
    };
    ResubmitJob: {
      /** @description Data for the worker; the server sets `userId` in it */
      data?: {
        [key: string]: unknown;
      } | null;
    } | null;
    Scope: "jobs:read" | "jobs:write" | "webhooks:read" | "webhooks:write" | "operator:read" | "operator:write";
    StartedBulk: {
      /** @description Id of the bulk action */
      bulkId: string;
      /**
      * Format: int64
      * @description Number of items
      */
      matched: number;
    };
    SubmittedJob: {
      /** @description Id of the job */
      jobId: string;
      /** @description Name of the job, by which the worker chooses what to do */
      name: string;
      /** @description Name of the BullMQ queue */
      queue: string;
      state: components["schemas"]["JobState"];
    };
    SubmittedJobs: {
      jobs: components["schemas"]["SubmittedJob"][];
    };
    Ticket: {
      /**
      * Format: int64
      * @description Seconds
      */
      expiresIn: number;
      /** @description Opens one event stream, as `?ticket=` */
      ticket: string;
    };
    TokenPair: {
      /**
      * Format: int32
      * @description Seconds until the access token expires
      */
      expiresIn: number;
      /** @description Replaces the refresh token of the request, which is used up */
      refreshToken: string;
      /** @description The new access token */
      token: string;
    };
    /** @description The webhook */
    Webhook: {
      active: boolean;
      /** Format: date-time */
      createdAt: string;
      description: string | null;
      disabledReason: string | null;
      eventType: components["schemas"]["WebhookEventType"];
      /** @description The same as a list: `eventType` is `all`, the only one, or the first of several */
      eventTypes: components["schemas"]["DeliveredEventType"][];
      filter: components["schemas"]["WebhookFilter"];
      headers: {
        [key: string]: string;
      };
      health: components["schemas"]["WebhookHealth"];
      /** Format: int64 */
      id: number;
      progressMode: components["schemas"]["ProgressMode"];
      status: components["schemas"]["WebhookStatus"];
      /** Format: date-time */
      updatedAt: string;
      url: string;
    };
    WebhookChange: {
      active?: boolean | null;
      /** Format: date-time */
      createdAt?: string;
      description?: string | null;
      disabledReason?: string | null;
      /**
      * @description Events that the webhook receives
      */
      eventType?: "progress" | "completed" | "failed" | "all" | null;
      eventTypes?: components["schemas"]["DeliveredEventType"][] | null;
      /** @description Of which jobs the webhook receives events: those that match each list; without a list any */
      filter?: {
        /** @description Only events of jobs with these names */
        names?: string[] | null;
        /** @description Only events of jobs in these queues */
        queues?: string[] | null;
      } | null;
      /** @description Up to 20 custom headers. Stored encrypted and shown as ••••; sending •••• back keeps a value */
      headers?: {
        [key: string]: string;
      } | null;
      health?: components["schemas"]["WebhookHealth"];
      /** Format: int64 */
      id?: number;
      /**
      * @description latest: of several pending progress events of a job, only the newest is delivered
      */
      progressMode?: "all" | "latest" | null;
      status?: components["schemas"]["WebhookStatus"];
      /** Format: date-time */
      updatedAt?: string;
      /** Format: url */
      url?: string | null;
    };
    /**
    * @description Events that the webhook receives
    */
    WebhookEventType: "progress" | "completed" | "failed" | "all";
    /** @description Of which jobs the webhook receives events: those that match each list; without a list any */
    WebhookFilter: {
      /** @description Only events of jobs with these names */
      names?: string[];
      /** @description Only events of jobs in these queues */
      queues?: string[];
    };
    /** @description How the endpoint answers */
    WebhookHealth: {
      circuit: components["schemas"]["CircuitState"];
      /**
      * Format: date-time
      * @description Since when every attempt has failed
      */
      failingSince: string | null;
      /**
      * Format: int64
      * @description Attempts that failed in a row
      */
      failures: number;
      /**
      * Format: date-time
      * @description When the next attempt is made, at the earliest; a time that has passed: now. Null where the circuit is closed, where nothing waits, so that the next event is the next attempt, and while the webhook is not active
      */
      nextAttemptAt: string | null;
      /**
      * Format: date-time
      * @description No attempt is made before; null where nothing is paused
      */
      openUntil: string | null;
    };
    /** @description All webhooks, oldest first */
    WebhookList: {
      webhooks: components["schemas"]["Webhook"][];
    };
    /** @description The current secret */
    WebhookSecret: {
      /** @description Until when the replaced secret signs too; null where there is none, or it has ended */
      replacedUntil: string | null;
      /** @description The key that verifies the deliveries (Standard Webhooks) */
      secret: string;
    };
    /** @description Deliveries to the webhook over time */
    WebhookStats: {
      /** @description Oldest first, empty ones included */
      buckets: components["schemas"]["WebhookStatsBucket"][];
      /**
      * Format: int64
      * @description With `isPartial`: the numbers are complete from this time on, in milliseconds since 1970, and the first bucket is the one in which counting stopped
      */
      completeFrom?: number;
      /**
      * Format: int64
      * @description Start, inclusive, in milliseconds since 1970
      */
      from: number;
      /**
      * @description There were more than the 50,000 deliveries that are read: only the newest are counted
      * @constant
      */
      isPartial?: true;
      /**
      * Format: int64
      * @description Length of a bucket in milliseconds; the last one ends at `to`
      */
      step: number;
      /**
      * Format: int64
      * @description End, exclusive
      */
      to: number;
      total: components["schemas"]["DeliveryCounts"];
      /** Format: int64 */
      webhookId: number;
    };
    WebhookStatsBucket: {
      /**
      * Format: int64
      * @description Attempts that these deliveries have had
      */
      attempts: number;
      /** Format: int64 */
      closed: number;
      /** Format: int64 */
      delivered: number;
      /** Format: int64 */
      failed: number;
      /**
      * Format: int64
      * @description Start of the bucket, in milliseconds since 1970
      */
      from: number;
      /** @description Median and 95th percentile, of the delivered ones, of the time from the event, or from the creation of a redelivery, replay or test, until the success was recorded, retries included; null where none was delivered */
      latencyMs: {
        /** Format: int64 */
        p50: number | null;
        /** Format: int64 */
        p95: number | null;
      };
      /** Format: int64 */
      pending: number;
      /** Format: int64 */
      superseded: number;
    };
    /**
    * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
    */
    WebhookStatus: "active" | "paused" | "disabled";
  };
}
export interface operations {
  refreshTokens: {
    requestBody: {
      content: {
        "application/json": components["schemas"]["RefreshRequest"];
      };
    };
    responses: {
      /** @description New tokens */
      200: {
        content: {
          "application/json": components["schemas"]["TokenPair"];
        };
      };
    };
  };
  createTicket: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The ticket */
      201: {
        content: {
          "application/json": components["schemas"]["Ticket"];
        };
      };
    };
  };
  listBulks: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Your bulk actions */
      200: {
        content: {
          "application/json": components["schemas"]["BulkList"];
        };
      };
    };
  };
  startBulk: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewBulk"];
      };
    };
    responses: {
      /** @description The number of items, for a dry run */
      200: {
        content: {
          "application/json": components["schemas"]["BulkDryRun"];
        };
      };
      /** @description Accepted */
      202: {
        content: {
          "application/json": components["schemas"]["StartedBulk"];
        };
      };
    };
  };
  getBulk: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The bulk action */
      200: {
        content: {
          "application/json": components["schemas"]["Bulk"];
        };
      };
    };
  };
  stopBulk: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The bulk action */
      200: {
        content: {
          "application/json": components["schemas"]["Bulk"];
        };
      };
    };
  };
  listAllDeliveries: {
    parameters: {
      query?: {
        /** @description Id of a bulk action that redelivers: the deliveries that it made */
        bulkId?: string;
        /** @description `pagination.next` of the previous page */
        cursor?: string;
        /** @description Id of a job event, the same in every channel */
        eventId?: string;
        /** @description Type of the event: progress, completed, failed, or several with commas */
        eventType?: string;
        /** @description Created at or after: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        from?: string | number;
        /** @description Id of the job */
        jobId?: string;
        limit?: number;
        /** @description Why the delivery exists: event, redeliver, replay, test, or several with commas */
        origin?: string;
        /** @description Id of the redelivered delivery, or of the replay */
        originId?: number;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description Status of the delivery: pending, delivered, failed, superseded, closed, or several with commas */
        status?: string;
        /** @description Created before: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        to?: string | number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about, or `*` for all users */
        userId?: string;
        /** @description Id of a webhook, also of a deleted one */
        webhookId?: number;
      };
    };
    responses: {
      /** @description A page of deliveries, newest first */
      200: {
        content: {
          "application/json": components["schemas"]["DeliveryPage"];
        };
      };
    };
  };
  getDelivery: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The delivery with its payload and attempts */
      200: {
        content: {
          "application/json": components["schemas"]["Delivery"];
        };
      };
    };
  };
  redeliver: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The delivery */
      202: {
        content: {
          "application/json": components["schemas"]["DeliverySummary"];
        };
      };
    };
  };
  streamEvents: {
    parameters: {
      query?: {
        /** @description Where to resume; the header Last-Event-ID takes precedence */
        lastEventId?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description `session`, then `job:progress`, `job:completed`, `job:failed` and `job:state`, each with its event id */
      200: {
        content: {
          "text/event-stream": string;
        };
      };
    };
  };
  listJobs: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description Id of a bulk action on jobs: those that it retried or cancelled */
        bulkId?: string;
        cursor?: string;
        /** @description Jobs created (with `sort=finished`: finished) at or after this time: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        from?: string | number;
        limit?: number;
        /** @description Name of the job, by which the worker chooses what to do */
        name?: string;
        page?: number;
        /** @description Beginning of an id, or part of a name or of a failedReason, taken literally; the case matters in ids only. Searches the newest 100,000 jobs that the other filters leave: `pagination.isPartial` says whether there are more */
        q?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description Key of the order and of `from` and `to`; `finished` lists ended jobs */
        sort?: "created" | "finished";
        /** @description States of the jobs; separated by commas or repeated */
        status?: components["schemas"]["JobState"][];
        /** @description Jobs created (with `sort=finished`: finished) before this time: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        to?: string | number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about, or `*` for all users */
        userId?: string;
      };
    };
    responses: {
      /** @description A page of your jobs */
      200: {
        content: {
          "application/json": components["schemas"]["JobPage"];
        };
      };
    };
  };
  getJob: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description `data`: what was submitted, up to 1 MiB (403 where JOB_DATA_VISIBLE is false); separated by commas or repeated */
        include?: "data"[];
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
        /** @description Seconds to wait for a change of the job */
        wait?: number;
      };
    };
    responses: {
      /** @description The job */
      200: {
        content: {
          "application/json": components["schemas"]["Job"];
        };
      };
    };
  };
  cancelJob: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Accepted; the job before the command */
      202: {
        content: {
          "application/json": components["schemas"]["Job"];
        };
      };
    };
  };
  listJobDeliveries: {
    parameters: {
      query?: {
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The webhooks that the events of the job went to */
      200: {
        content: {
          "application/json": components["schemas"]["JobDeliveries"];
        };
      };
    };
  };
  getJobEvents: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description `progress`: samples of the progress, and the attempts; separated by commas or repeated */
        include?: "progress"[];
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The events of the job */
      200: {
        content: {
          "application/json": components["schemas"]["JobTimeline"];
        };
      };
    };
  };
  resubmitJob: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody?: {
      content: {
        "application/json": components["schemas"]["ResubmitJob"];
      };
    };
    responses: {
      /** @description Accepted; the new job */
      202: {
        content: {
          "application/json": components["schemas"]["SubmittedJob"];
        };
      };
    };
  };
  retryJob: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Accepted; the job before the command */
      202: {
        content: {
          "application/json": components["schemas"]["Job"];
        };
      };
    };
  };
  streamJob: {
    parameters: {
      query?: {
        /** @description Where to resume; the header Last-Event-ID takes precedence */
        lastEventId?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description `session` and `job`, then `job:progress`, `job:completed`, `job:failed` and `job:state` of this job */
      200: {
        content: {
          "text/event-stream": string;
        };
      };
    };
  };
  countJobs: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The number of jobs in each state */
      200: {
        content: {
          "application/json": components["schemas"]["JobCounts"] | components["schemas"]["Job"];
        };
      };
    };
  };
  getJobStats: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
        /** @description Start, inclusive; by default 24 hours before `to`: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        from?: string | number;
        /** @description Name of the job, by which the worker chooses what to do */
        name?: string;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description Length of a bucket: 30s, 15m, 1h, 1d, or milliseconds; at most 200 buckets; by default one that gives 100 or fewer */
        step?: string | number;
        /** @description End, exclusive; by default now: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        to?: string | number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Your finished jobs, by bucket of time */
      200: {
        content: {
          "application/json": components["schemas"]["JobStats"];
        };
      };
    };
  };
  getMe: {
    responses: {
      /** @description The user and the scopes of the token */
      200: {
        content: {
          "application/json": components["schemas"]["Me"];
        };
      };
    };
  };
  getDeliveryStates: {
    responses: {
      /** @description Default Response */
      200: {
        content: {
          "application/json": components["schemas"]["DeliveryStates"];
        };
      };
    };
  };
  getQueueStates: {
    responses: {
      /** @description The queues */
      200: {
        content: {
          "application/json": components["schemas"]["QueueStates"];
        };
      };
    };
  };
  submitJob: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewJob"];
      };
    };
    responses: {
      /** @description Accepted */
      202: {
        content: {
          "application/json": components["schemas"]["SubmittedJob"];
        };
      };
    };
  };
  submitJobs: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewJobs"];
      };
    };
    responses: {
      /** @description Accepted, in the order of the request */
      202: {
        content: {
          "application/json": components["schemas"]["SubmittedJobs"];
        };
      };
    };
  };
  eraseUser: {
    responses: {
      /** @description Accepted */
      202: {
        content: {
          "application/json": components["schemas"]["Erasure"];
        };
      };
    };
  };
  getErasure: {
    responses: {
      /** @description The progress of the erasure */
      200: {
        content: {
          "application/json": components["schemas"]["Erasure"];
        };
      };
    };
  };
  listWebhooks: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description All webhooks, oldest first */
      200: {
        content: {
          "application/json": components["schemas"]["WebhookList"];
        };
      };
    };
  };
  createWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewWebhook"];
      };
    };
    responses: {
      /** @description The webhook, with its secret */
      201: {
        content: {
          "application/json": components["schemas"]["CreatedWebhook"];
        };
      };
    };
  };
  getWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The webhook */
      200: {
        content: {
          "application/json": components["schemas"]["Webhook"];
        };
      };
    };
  };
  updateWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["WebhookChange"];
      };
    };
    responses: {
      /** @description The webhook */
      200: {
        content: {
          "application/json": components["schemas"]["Webhook"];
        };
      };
    };
  };
  deleteWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Done */
      204: {
        content?: never;
      };
    };
  };
  listDeliveries: {
    parameters: {
      query?: {
        /** @description Id of a bulk action that redelivers: the deliveries that it made */
        bulkId?: string;
        /** @description `pagination.next` of the previous page */
        cursor?: string;
        /** @description Id of a job event, the same in every channel */
        eventId?: string;
        /** @description Type of the event: progress, completed, failed, or several with commas */
        eventType?: string;
        /** @description Created at or after: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        from?: string | number;
        /** @description Id of the job */
        jobId?: string;
        limit?: number;
        /** @description Why the delivery exists: event, redeliver, replay, test, or several with commas */
        origin?: string;
        /** @description Id of the redelivered delivery, or of the replay */
        originId?: number;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description Status of the delivery: pending, delivered, failed, superseded, closed, or several with commas */
        status?: string;
        /** @description Created before: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        to?: string | number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description A page of deliveries, newest first */
      200: {
        content: {
          "application/json": components["schemas"]["DeliveryPage"];
        };
      };
    };
  };
  replayWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewReplay"];
      };
    };
    responses: {
      /** @description A dry run */
      200: {
        content: {
          "application/json": components["schemas"]["ReplayMatches"];
        };
      };
      /** @description The replay */
      202: {
        content: {
          "application/json": components["schemas"]["ReplaySummary"];
        };
      };
    };
  };
  listReplays: {
    parameters: {
      query?: {
        /** @description `pagination.next` of the previous page */
        cursor?: string;
        limit?: number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description A page of replays, newest first */
      200: {
        content: {
          "application/json": components["schemas"]["ReplayPage"];
        };
      };
    };
  };
  getReplay: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The replay, and what became of its deliveries */
      200: {
        content: {
          "application/json": components["schemas"]["Replay"];
        };
      };
    };
  };
  stopReplay: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Done */
      204: {
        content?: never;
      };
    };
  };
  rotateWebhookSecret: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The current secret */
      200: {
        content: {
          "application/json": components["schemas"]["WebhookSecret"];
        };
      };
    };
  };
  getWebhookSecret: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The current secret */
      200: {
        content: {
          "application/json": components["schemas"]["WebhookSecret"];
        };
      };
    };
  };
  getWebhookStats: {
    parameters: {
      query?: {
        /** @description Start, inclusive; by default 24 hours before `to`: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        from?: string | number;
        /** @description Length of a bucket: 30s, 15m, 1h, 1d, or milliseconds; at most 200 buckets; by default one that gives 100 or fewer */
        step?: string | number;
        /** @description End, exclusive; by default now: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        to?: string | number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Deliveries to the webhook over time */
      200: {
        content: {
          "application/json": components["schemas"]["WebhookStats"];
        };
      };
    };
  };
  testWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The delivery */
      202: {
        content: {
          "application/json": components["schemas"]["DeliverySummary"];
        };
      };
    };
  };
  getLegacyWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The legacy webhookUrl */
      200: {
        content: {
          "application/json": components["schemas"]["LegacyWebhook"];
        };
      };
    };
  };
  putLegacyWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    requestBody: {
      content: {
        "application/json": components["schemas"]["NewLegacyWebhook"];
      };
    };
    responses: {
      /** @description The legacy webhookUrl */
      200: {
        content: {
          "application/json": components["schemas"]["LegacyWebhook"];
        };
      };
    };
  };
  deleteLegacyWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description Done */
      204: {
        content?: never;
      };
    };
  };
  listLegacyDeliveries: {
    parameters: {
      query?: {
        /** @description Id of a bulk action that redelivers: the deliveries that it made */
        bulkId?: string;
        /** @description `pagination.next` of the previous page */
        cursor?: string;
        /** @description Id of a job event, the same in every channel */
        eventId?: string;
        /** @description Type of the event: progress, completed, failed, or several with commas */
        eventType?: string;
        /** @description Created at or after: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        from?: string | number;
        /** @description Id of the job */
        jobId?: string;
        limit?: number;
        /** @description Why the delivery exists: event, redeliver, replay, test, or several with commas */
        origin?: string;
        /** @description Id of the redelivered delivery, or of the replay */
        originId?: number;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description Status of the delivery: pending, delivered, failed, superseded, closed, or several with commas */
        status?: string;
        /** @description Created before: milliseconds since 1970, a time (ISO 8601; a date alone is its start in UTC), or the id of an event, whose time it stands for */
        to?: string | number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description A page of deliveries, newest first */
      200: {
        content: {
          "application/json": components["schemas"]["DeliveryPage"];
        };
      };
    };
  };
  migrateLegacyWebhook: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The webhook, with its secret */
      201: {
        content: {
          "application/json": components["schemas"]["CreatedWebhook"];
        };
      };
    };
  };
  rotateLegacySecret: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The current secret */
      200: {
        content: {
          "application/json": components["schemas"]["WebhookSecret"];
        };
      };
    };
  };
  getLegacySecret: {
    parameters: {
      query?: {
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description The current secret */
      200: {
        content: {
          "application/json": components["schemas"]["WebhookSecret"];
        };
      };
    };
  };
}
