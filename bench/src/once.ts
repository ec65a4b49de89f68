/** Makes it at the first call and gives the same at each later one. */
export function once<T> (make: () => Promise<T>): (() => Promise<T>) & { isMade: () => boolean } {
  let made: Promise<T> | undefined
  return Object.assign(() => {
    made ??= make()
    return made
  }, { isMade: () => made !== undefined })
}
