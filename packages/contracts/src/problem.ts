import { Type, type Static } from 'typebox'
import { Int32 } from './int32.ts'

/** RFC 9457; `errors` names each fault of the input with its path. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Int32(),
  detail: Type.Optional(Type.String()),
  instance: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Array(Type.Object({ path: Type.String(), message: Type.String() })))
}, { $id: 'Problem' })
export type Problem = Static<typeof Problem>

/** The content type of every error response. */
export const PROBLEM_JSON = 'application/problem+json'

/** Response schema of an error, for the `response` of a route: `{ 200: Job, '4xx': problemResponse('…') }`. */
export function problemResponse (description: string) {
  return { description, content: { [PROBLEM_JSON]: { schema: Problem } } }
}
