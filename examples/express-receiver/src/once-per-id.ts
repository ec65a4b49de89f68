/**
 * Runs work once per id, for the last `capacity` ids. A repeated call while it runs, or later, shares its outcome.
 * Failed work is forgotten, so that the next attempt runs it again.
 *
 * The ids are lost with the process. Where handling an event twice would do harm, write the id to your database,
 * unique, in the transaction that does the work.
 */
export function oncePerId (capacity: number) {
  const outcomes = new Map<string, Promise<void>>()

  return async (id: string, work: () => void | Promise<void>) => {
    const outcome = outcomes.get(id) ?? remember(id, Promise.try(work))
    await outcome
  }

  function remember (id: string, outcome: Promise<void>) {
    outcomes.set(id, outcome)
    outcome.catch(() => { if (outcomes.get(id) === outcome) outcomes.delete(id) })
    // A Map keeps the order of insertion, so the first key is the oldest.
    const [oldest] = outcomes.keys()
    if (outcomes.size > capacity && oldest !== undefined) outcomes.delete(oldest)
    return outcome
  }
}
