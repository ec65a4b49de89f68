import { Type, type TSchema } from 'typebox'

/**
 * A list in a query, which a client separates by commas (`status=failed,active`), repeats
 * (`status=failed&status=active`) or both: `validatorCompiler` of service-kit splits it. A list without an element
 * counts as left out.
 */
export function queryList<Item extends TSchema> (item: Item, { maxItems, description }: ListOptions) {
  return Type.Array(item, { maxItems, description: `${description}; separated by commas or repeated` })
}

type ListOptions = { maxItems: number, description: string }
