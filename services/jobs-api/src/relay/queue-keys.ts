/** BullMQ's own prefix; what comes after it is the queue's. */
export const queuePrefix = (queue: string) => `bull:${queue}:`

export const queueEventsKey = (queue: string) => `${queuePrefix(queue)}events`
export const queueMetaKey = (queue: string) => `${queuePrefix(queue)}meta`
