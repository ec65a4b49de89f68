/** A change of the product's source that switches off one mechanism of a promise. */
export type Mutation = {
  /** What is missing then: completes "without". */
  without: string
  /** Relative to the root. */
  file: string
  /** Stands exactly once in the file. */
  search: string
  replacement: string
  /**
   * Test files, relative to the root, with a part of the name of the test in each that must fail, by an assertion; ''
   * for any of the file.
   */
  tests: Record<string, string>
}

/** How often a text stands in another. */
export function occurrences (text: string, part: string): number {
  return text.split(part).length - 1
}

/** The source with the mutation. @throws where the text to replace is not there exactly once */
export function mutated (source: string, { file, search, replacement }: Mutation): string {
  const count = occurrences(source, search)
  if (count !== 1) throw new Error(`${file} has ${count} times: ${search}`)
  return source.replace(search, () => replacement)
}
