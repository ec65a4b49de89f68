// Written by `npm run write-types` from docs/openapi: types only. Not to be edited.

export interface operations {
  refreshTokens: {
    requestBody: {
      content: {
        "application/json": {
          /** @description The latest refresh token */
          refreshToken: string;
        };
      };
    };
    responses: {
      /** @description New tokens */
      200: {
        content: {
          "application/json": {
            /** @description Seconds until the access token expires */
            expiresIn: number;
            /** @description Replaces the refresh token of the request, which is used up */
            refreshToken: string;
            /** @description The new access token */
            token: string;
          };
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
          "application/json": {
            /** @description Seconds */
            expiresIn: number;
            /** @description Opens one event stream, as `?ticket=` */
            ticket: string;
          };
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
          "application/json": {
            attemptCount: number;
            attempts: {
              attempt: number;
              durations: {
                connectMs: number | null;
                dnsMs: number | null;
                totalMs: number;
                ttfbMs: number | null;
              };
              errorClass: ("dns" | "connect" | "tls" | "timeout" | "reset" | "too-large" | "http-4xx" | "http-5xx" | "redirect" | "blocked") | null;
              message: string | null;
              /** @description The first 16 KiB */
              responseBody: string | null;
              responseHeaders: {
                [key: string]: string;
              } | null;
              /** Format: date-time */
              startedAt: string;
              statusCode: number | null;
            }[];
            /** Format: date-time */
            createdAt: string;
            errorClass: ("dns" | "connect" | "tls" | "timeout" | "reset" | "too-large" | "http-4xx" | "http-5xx" | "redirect" | "blocked") | null;
            /** @description The header `webhook-id` of each attempt */
            eventId: string;
            eventType: string;
            finishedAt: string | null;
            id: number;
            /** @description Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept */
            jobId: string | null;
            /** @description Name of the job; null once the payload is no longer kept */
            name: string | null;
            /** @description Earliest time of the next attempt; null once the delivery has ended and while the webhook is not active */
            nextAttemptAt: string | null;
            /**
            * @description Why the delivery exists: an event, a redelivery, a replay or a test
            */
            origin: "event" | "redeliver" | "replay" | "test";
            /** @description Id of the redelivered delivery or of the replay */
            originId: number | null;
            /** @description The request body; null once it is no longer kept */
            payload: unknown;
            queue: string | null;
            /** @description Why the delivery was closed */
            reason: string | null;
            /**
            * @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled
            */
            status: "pending" | "delivered" | "failed" | "superseded" | "closed";
            /** @description Status of the last response */
            statusCode: number | null;
            /** @description Id of the webhook */
            webhookId: number;
          };
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
          "application/json": {
            attemptCount: number;
            /** Format: date-time */
            createdAt: string;
            errorClass: ("dns" | "connect" | "tls" | "timeout" | "reset" | "too-large" | "http-4xx" | "http-5xx" | "redirect" | "blocked") | null;
            /** @description The header `webhook-id` of each attempt */
            eventId: string;
            eventType: string;
            finishedAt: string | null;
            id: number;
            /** @description Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept */
            jobId: string | null;
            /** @description Name of the job; null once the payload is no longer kept */
            name: string | null;
            /** @description Earliest time of the next attempt; null once the delivery has ended and while the webhook is not active */
            nextAttemptAt: string | null;
            /**
            * @description Why the delivery exists: an event, a redelivery, a replay or a test
            */
            origin: "event" | "redeliver" | "replay" | "test";
            /** @description Id of the redelivered delivery or of the replay */
            originId: number | null;
            queue: string | null;
            /** @description Why the delivery was closed */
            reason: string | null;
            /**
            * @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled
            */
            status: "pending" | "delivered" | "failed" | "superseded" | "closed";
            /** @description Status of the last response */
            statusCode: number | null;
            /** @description Id of the webhook */
            webhookId: number;
          };
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
        cursor?: string;
        from?: number;
        limit?: number;
        /** @description Name of the job, by which the worker chooses what to do */
        name?: string;
        page?: number;
        /** @description Name of the BullMQ queue */
        queue?: string;
        /** @description State of the job */
        status?: "waiting" | "delayed" | "active" | "completed" | "failed" | "";
        to?: number;
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description A page of your jobs */
      200: {
        content: {
          "application/json": {
            jobs: {
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
              */
              progressTruncated?: true;
              /** @description Name of the BullMQ queue */
              queue: string;
              /**
              * @description State of the job
              */
              state: "waiting" | "delayed" | "active" | "completed" | "failed";
              timestamp: {
                /** @description Milliseconds since 1970 */
                created: number;
                finished: number | null;
                started: number | null;
              };
            }[];
            pagination: {
              limit: number;
              /** @description Cursor of the next page, null at the end */
              next: string | null;
              page: number;
              pages: number;
              total: number;
              /**
              * @description There are at least `total` jobs; counting stopped there
              */
              totalIsCapped?: true;
            };
          };
        };
      };
    };
  };
  getJob: {
    parameters: {
      query?: {
        /** @description Id of a job event, the same in every channel */
        after?: string;
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
          "application/json": {
            attempts: {
              /** @description How often a worker has started the job */
              made: number;
              /** @description How often a worker may start it */
              max: number;
            };
            /**
            * @description The failedReason is larger than 1 MiB; this is its beginning
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
            */
            progressTruncated?: true;
            /** @description Name of the BullMQ queue */
            queue: string;
            /** @description The return value of the worker, once completed */
            result?: unknown;
            /**
            * @description The result is larger than 1 MiB and was not stored
            */
            resultTruncated?: true;
            /**
            * @description State of the job
            */
            state: "waiting" | "delayed" | "active" | "completed" | "failed";
            timestamp: {
              /** @description Milliseconds since 1970 */
              created: number;
              finished: number | null;
              started: number | null;
            };
          };
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
          "application/json": {
            attempts: {
              /** @description How often a worker has started the job */
              made: number;
              /** @description How often a worker may start it */
              max: number;
            };
            /**
            * @description The failedReason is larger than 1 MiB; this is its beginning
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
            */
            progressTruncated?: true;
            /** @description Name of the BullMQ queue */
            queue: string;
            /** @description The return value of the worker, once completed */
            result?: unknown;
            /**
            * @description The result is larger than 1 MiB and was not stored
            */
            resultTruncated?: true;
            /**
            * @description State of the job
            */
            state: "waiting" | "delayed" | "active" | "completed" | "failed";
            timestamp: {
              /** @description Milliseconds since 1970 */
              created: number;
              finished: number | null;
              started: number | null;
            };
          };
        };
      };
    };
  };
  getJobEvents: {
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
      /** @description The events of the job */
      200: {
        content: {
          "application/json": {
            events: {
              error?: string;
              /**
              * @description The error is larger than 64 KiB; this is its beginning
              */
              errorTruncated?: true;
              /** @description Id of a job event, the same in every channel */
              eventId: string;
              /**
              * @description State of the job
              */
              state: "waiting" | "delayed" | "active" | "completed" | "failed";
              timestamp: number;
              type: string;
            }[];
          };
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
          "application/json": {
            attempts: {
              /** @description How often a worker has started the job */
              made: number;
              /** @description How often a worker may start it */
              max: number;
            };
            /**
            * @description The failedReason is larger than 1 MiB; this is its beginning
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
            */
            progressTruncated?: true;
            /** @description Name of the BullMQ queue */
            queue: string;
            /** @description The return value of the worker, once completed */
            result?: unknown;
            /**
            * @description The result is larger than 1 MiB and was not stored
            */
            resultTruncated?: true;
            /**
            * @description State of the job
            */
            state: "waiting" | "delayed" | "active" | "completed" | "failed";
            timestamp: {
              /** @description Milliseconds since 1970 */
              created: number;
              finished: number | null;
              started: number | null;
            };
          };
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
          "application/json": {
            active: number;
            completed: number;
            delayed: number;
            failed: number;
            waiting: number;
          } | {
            attempts: {
              /** @description How often a worker has started the job */
              made: number;
              /** @description How often a worker may start it */
              max: number;
            };
            /**
            * @description The failedReason is larger than 1 MiB; this is its beginning
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
            */
            progressTruncated?: true;
            /** @description Name of the BullMQ queue */
            queue: string;
            /** @description The return value of the worker, once completed */
            result?: unknown;
            /**
            * @description The result is larger than 1 MiB and was not stored
            */
            resultTruncated?: true;
            /**
            * @description State of the job
            */
            state: "waiting" | "delayed" | "active" | "completed" | "failed";
            timestamp: {
              /** @description Milliseconds since 1970 */
              created: number;
              finished: number | null;
              started: number | null;
            };
          };
        };
      };
    };
  };
  getMe: {
    responses: {
      /** @description The user and the scopes of the token */
      200: {
        content: {
          "application/json": {
            /** @description When the token ends, in milliseconds; null: never */
            expiresAt: number | null;
            /** @description What the token allows; words of its claim that are no scopes are left out */
            scopes: ("jobs:read" | "jobs:write" | "webhooks:read" | "webhooks:write" | "operator:read" | "operator:write")[];
            /** @description A number where the id is one, otherwise a text */
            userId: number | string;
          };
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
        "application/json": {
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
          /** @description Milliseconds to wait before the job may start */
          delay?: number | null;
          /** @description Name of the job, by which the worker chooses what to do */
          name: string;
          /** @description 0 (the default) runs first, then 1, 2, … */
          priority?: number | null;
          /** @description Name of the BullMQ queue */
          queue?: string | null;
          /**
          * Format: url
          * @description Receives the completion event of this job
          */
          webhookUrl?: string | null;
        };
      };
    };
    responses: {
      /** @description Accepted */
      202: {
        content: {
          "application/json": {
            /** @description Id of the job */
            jobId: string;
            /** @description Name of the job, by which the worker chooses what to do */
            name: string;
            /** @description Name of the BullMQ queue */
            queue: string;
            /**
            * @description State of the job
            */
            state: "waiting" | "delayed" | "active" | "completed" | "failed";
          };
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
        "application/json": {
          jobs: {
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
            /** @description Milliseconds to wait before the job may start */
            delay?: number | null;
            /** @description Name of the job, by which the worker chooses what to do */
            name: string;
            /** @description 0 (the default) runs first, then 1, 2, … */
            priority?: number | null;
            /** @description Name of the BullMQ queue */
            queue?: string | null;
            /**
            * Format: url
            * @description Receives the completion event of this job
            */
            webhookUrl?: string | null;
          }[];
        };
      };
    };
    responses: {
      /** @description Accepted, in the order of the request */
      202: {
        content: {
          "application/json": {
            jobs: {
              /** @description Id of the job */
              jobId: string;
              /** @description Name of the job, by which the worker chooses what to do */
              name: string;
              /** @description Name of the BullMQ queue */
              queue: string;
              /**
              * @description State of the job
              */
              state: "waiting" | "delayed" | "active" | "completed" | "failed";
            }[];
          };
        };
      };
    };
  };
  eraseUser: {
    responses: {
      /** @description Accepted */
      202: {
        content: {
          "application/json": {
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
        };
      };
    };
  };
  getErasure: {
    responses: {
      /** @description The progress of the erasure */
      200: {
        content: {
          "application/json": {
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
          "application/json": {
            webhooks: {
              active: boolean;
              /** Format: date-time */
              createdAt: string;
              description: string | null;
              disabledReason: string | null;
              /**
              * @description Events that the webhook receives
              */
              eventType: "progress" | "completed" | "failed" | "all";
              headers: {
                [key: string]: string;
              };
              id: number;
              /**
              * @description latest: of several pending progress events of a job, only the newest is delivered
              */
              progressMode: "all" | "latest";
              /**
              * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
              */
              status: "active" | "paused" | "disabled";
              /** Format: date-time */
              updatedAt: string;
              url: string;
            }[];
          };
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
        "application/json": {
          active?: boolean | null;
          description?: string | null;
          /**
          * @description Events that the webhook receives
          */
          eventType: "progress" | "completed" | "failed" | "all";
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
      };
    };
    responses: {
      /** @description The webhook, with its secret */
      201: {
        content: {
          "application/json": {
            active: boolean;
            /** Format: date-time */
            createdAt: string;
            description: string | null;
            disabledReason: string | null;
            /**
            * @description Events that the webhook receives
            */
            eventType: "progress" | "completed" | "failed" | "all";
            headers: {
              [key: string]: string;
            };
            id: number;
            /**
            * @description latest: of several pending progress events of a job, only the newest is delivered
            */
            progressMode: "all" | "latest";
            secret: string;
            /**
            * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
            */
            status: "active" | "paused" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            url: string;
          };
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
          "application/json": {
            active: boolean;
            /** Format: date-time */
            createdAt: string;
            description: string | null;
            disabledReason: string | null;
            /**
            * @description Events that the webhook receives
            */
            eventType: "progress" | "completed" | "failed" | "all";
            headers: {
              [key: string]: string;
            };
            id: number;
            /**
            * @description latest: of several pending progress events of a job, only the newest is delivered
            */
            progressMode: "all" | "latest";
            /**
            * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
            */
            status: "active" | "paused" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            url: string;
          };
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
        "application/json": {
          active?: boolean | null;
          /** Format: date-time */
          createdAt?: string;
          description?: string | null;
          disabledReason?: string | null;
          /**
          * @description Events that the webhook receives
          */
          eventType?: "progress" | "completed" | "failed" | "all" | null;
          /** @description Up to 20 custom headers. Stored encrypted and shown as ••••; sending •••• back keeps a value */
          headers?: {
            [key: string]: string;
          } | null;
          id?: number;
          /**
          * @description latest: of several pending progress events of a job, only the newest is delivered
          */
          progressMode?: "all" | "latest" | null;
          /**
          * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
          */
          status?: "active" | "paused" | "disabled";
          /** Format: date-time */
          updatedAt?: string;
          /** Format: url */
          url?: string | null;
        };
      };
    };
    responses: {
      /** @description The webhook */
      200: {
        content: {
          "application/json": {
            active: boolean;
            /** Format: date-time */
            createdAt: string;
            description: string | null;
            disabledReason: string | null;
            /**
            * @description Events that the webhook receives
            */
            eventType: "progress" | "completed" | "failed" | "all";
            headers: {
              [key: string]: string;
            };
            id: number;
            /**
            * @description latest: of several pending progress events of a job, only the newest is delivered
            */
            progressMode: "all" | "latest";
            /**
            * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
            */
            status: "active" | "paused" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            url: string;
          };
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
        /** @description `pagination.next` of the previous page */
        cursor?: string;
        limit?: number;
        /** @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled */
        status?: "pending" | "delivered" | "failed" | "superseded" | "closed" | "";
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description A page of deliveries, newest first */
      200: {
        content: {
          "application/json": {
            deliveries: {
              attemptCount: number;
              /** Format: date-time */
              createdAt: string;
              errorClass: ("dns" | "connect" | "tls" | "timeout" | "reset" | "too-large" | "http-4xx" | "http-5xx" | "redirect" | "blocked") | null;
              /** @description The header `webhook-id` of each attempt */
              eventId: string;
              eventType: string;
              finishedAt: string | null;
              id: number;
              /** @description Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept */
              jobId: string | null;
              /** @description Name of the job; null once the payload is no longer kept */
              name: string | null;
              /** @description Earliest time of the next attempt; null once the delivery has ended and while the webhook is not active */
              nextAttemptAt: string | null;
              /**
              * @description Why the delivery exists: an event, a redelivery, a replay or a test
              */
              origin: "event" | "redeliver" | "replay" | "test";
              /** @description Id of the redelivered delivery or of the replay */
              originId: number | null;
              queue: string | null;
              /** @description Why the delivery was closed */
              reason: string | null;
              /**
              * @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled
              */
              status: "pending" | "delivered" | "failed" | "superseded" | "closed";
              /** @description Status of the last response */
              statusCode: number | null;
              /** @description Id of the webhook */
              webhookId: number;
            }[];
            pagination: {
              limit: number;
              /** @description Cursor of the next page, null at the end */
              next: string | null;
            };
          };
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
        "application/json": {
          /** @description A time, or the id of the last event that is not replayed */
          since: string;
        };
      };
    };
    responses: {
      /** @description The replay */
      202: {
        content: {
          "application/json": {
            /** Format: date-time */
            createdAt: string;
            /** @description Deliveries created so far */
            deliveries: number;
            finishedAt: string | null;
            id: number;
            status: "running" | "finished";
            webhookId: number;
          };
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
      /** @description The replay */
      200: {
        content: {
          "application/json": {
            /** Format: date-time */
            createdAt: string;
            /** @description Deliveries created so far */
            deliveries: number;
            finishedAt: string | null;
            id: number;
            status: "running" | "finished";
            webhookId: number;
          };
        };
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
          "application/json": {
            /** @description The key that verifies the deliveries (Standard Webhooks) */
            secret: string;
          };
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
          "application/json": {
            /** @description The key that verifies the deliveries (Standard Webhooks) */
            secret: string;
          };
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
          "application/json": {
            attemptCount: number;
            /** Format: date-time */
            createdAt: string;
            errorClass: ("dns" | "connect" | "tls" | "timeout" | "reset" | "too-large" | "http-4xx" | "http-5xx" | "redirect" | "blocked") | null;
            /** @description The header `webhook-id` of each attempt */
            eventId: string;
            eventType: string;
            finishedAt: string | null;
            id: number;
            /** @description Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept */
            jobId: string | null;
            /** @description Name of the job; null once the payload is no longer kept */
            name: string | null;
            /** @description Earliest time of the next attempt; null once the delivery has ended and while the webhook is not active */
            nextAttemptAt: string | null;
            /**
            * @description Why the delivery exists: an event, a redelivery, a replay or a test
            */
            origin: "event" | "redeliver" | "replay" | "test";
            /** @description Id of the redelivered delivery or of the replay */
            originId: number | null;
            queue: string | null;
            /** @description Why the delivery was closed */
            reason: string | null;
            /**
            * @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled
            */
            status: "pending" | "delivered" | "failed" | "superseded" | "closed";
            /** @description Status of the last response */
            statusCode: number | null;
            /** @description Id of the webhook */
            webhookId: number;
          };
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
          "application/json": {
            /** Format: date-time */
            createdAt: string;
            disabledReason: string | null;
            /**
            * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
            */
            status: "active" | "paused" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            webhookUrl: string;
          };
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
        "application/json": {
          /** Format: date-time */
          createdAt?: string;
          disabledReason?: string | null;
          /**
          * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
          */
          status?: "active" | "paused" | "disabled";
          /** Format: date-time */
          updatedAt?: string;
          /** Format: url */
          webhookUrl: string;
        };
      };
    };
    responses: {
      /** @description The legacy webhookUrl */
      200: {
        content: {
          "application/json": {
            /** Format: date-time */
            createdAt: string;
            disabledReason: string | null;
            /**
            * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
            */
            status: "active" | "paused" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            webhookUrl: string;
          };
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
        /** @description `pagination.next` of the previous page */
        cursor?: string;
        limit?: number;
        /** @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled */
        status?: "pending" | "delivered" | "failed" | "superseded" | "closed" | "";
        /** @description For operators (scope `operator:read`, on routes that change something `operator:write`): the user whose data this is about */
        userId?: string;
      };
    };
    responses: {
      /** @description A page of deliveries, newest first */
      200: {
        content: {
          "application/json": {
            deliveries: {
              attemptCount: number;
              /** Format: date-time */
              createdAt: string;
              errorClass: ("dns" | "connect" | "tls" | "timeout" | "reset" | "too-large" | "http-4xx" | "http-5xx" | "redirect" | "blocked") | null;
              /** @description The header `webhook-id` of each attempt */
              eventId: string;
              eventType: string;
              finishedAt: string | null;
              id: number;
              /** @description Id of the job; null for a test, and for a redelivery or replay whose payload is no longer kept */
              jobId: string | null;
              /** @description Name of the job; null once the payload is no longer kept */
              name: string | null;
              /** @description Earliest time of the next attempt; null once the delivery has ended and while the webhook is not active */
              nextAttemptAt: string | null;
              /**
              * @description Why the delivery exists: an event, a redelivery, a replay or a test
              */
              origin: "event" | "redeliver" | "replay" | "test";
              /** @description Id of the redelivered delivery or of the replay */
              originId: number | null;
              queue: string | null;
              /** @description Why the delivery was closed */
              reason: string | null;
              /**
              * @description pending: will be attempted; failed: the retries are used up; superseded: a newer event of the job replaced it; closed: the webhook was disabled
              */
              status: "pending" | "delivered" | "failed" | "superseded" | "closed";
              /** @description Status of the last response */
              statusCode: number | null;
              /** @description Id of the webhook */
              webhookId: number;
            }[];
            pagination: {
              limit: number;
              /** @description Cursor of the next page, null at the end */
              next: string | null;
            };
          };
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
          "application/json": {
            active: boolean;
            /** Format: date-time */
            createdAt: string;
            description: string | null;
            disabledReason: string | null;
            /**
            * @description Events that the webhook receives
            */
            eventType: "progress" | "completed" | "failed" | "all";
            headers: {
              [key: string]: string;
            };
            id: number;
            /**
            * @description latest: of several pending progress events of a job, only the newest is delivered
            */
            progressMode: "all" | "latest";
            secret: string;
            /**
            * @description paused: by its owner; disabled: it failed for days, or answered that it is gone
            */
            status: "active" | "paused" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            url: string;
          };
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
          "application/json": {
            /** @description The key that verifies the deliveries (Standard Webhooks) */
            secret: string;
          };
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
          "application/json": {
            /** @description The key that verifies the deliveries (Standard Webhooks) */
            secret: string;
          };
        };
      };
    };
  };
}
