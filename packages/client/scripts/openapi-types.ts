import { readFile } from 'node:fs/promises'
import openapiTS, { astToString } from 'openapi-typescript'

const DOCUMENTS = ['jobs-api', 'realtime-gateway', 'webhook-dispatcher']
const KEPT = ['components', 'operations']
const NOTE = '// Written by `npm run write-types` from docs/openapi: types only. Not to be edited.\n\n'

type Content = Record<string, unknown>
type Operation = {
  operationId: string
  parameters?: { in: string }[]
  requestBody?: { content: Content, required?: boolean }
  responses: Record<string, { description: string, content?: Content }>
}
type Document = {
  openapi: string
  info: object
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

/** The named types, and those of all operations: what they take and what they return on success. */
export async function openapiTypes (): Promise<string> {
  const documents = await Promise.all(DOCUMENTS.map(read))
  const paths = Object.assign({}, ...documents.map(({ paths }) => operationsOnly(paths)))
  const { openapi, info } = documents[0] as Document
  const schemas = Object.assign({}, ...documents.map(({ components }) => components.schemas))
  const nodes = await openapiTS(
    { openapi, info, paths, components: { schemas } } as never, { alphabetize: true, exportType: false }
  )
  const kept = nodes.filter(node => 'name' in node && KEPT.includes((node.name as { text?: string }).text ?? ''))
  return NOTE + withoutUnused(astToString(kept))
}

async function read (name: string): Promise<Document> {
  const file = new URL(`../../../docs/openapi/${name}.json`, import.meta.url)
  return JSON.parse(await readFile(file, 'utf8'), (key, value: unknown) =>
    key === 'example' || key === 'examples' ? undefined : value) as Document
}

function operationsOnly (paths: Document['paths']): Document['paths'] {
  const short = ({ operationId, parameters = [], requestBody, responses }: Operation): Operation => ({
    operationId,
    parameters: parameters.filter(parameter => parameter.in === 'query'),
    ...(requestBody && { requestBody }),
    responses: Object.fromEntries(Object.entries(responses)
      .filter(([status]) => status.startsWith('2'))
      .map(([status, { description, content }]) => [status, { description, ...(content && { content }) }]))
  })
  return Object.fromEntries(Object.entries(paths).map(([path, methods]) =>
    [path, Object.fromEntries(Object.entries(methods).map(([method, operation]) => [method, short(operation)]))]))
}

/** Lines that say only that there is nothing. */
function withoutUnused (text: string): string {
  return text
    .replace(/^ *(query|header|path|cookie|requestBody|responses|parameters|requestBodies|headers|pathItems)\??: never;\n/gm, '')
    .replace(/^ *parameters: \{\n *\};\n/gm, '')
    .replace(/^ *headers: \{\n *\[name: string\]: unknown;\n *\};\n/gm, '')
    .replace(/^ *\/\*\* @enum .*\n/gm, '')
    .replace(/^ *\* @enum .*\n/gm, '')
    .replace(/^( +)/gm, (_, spaces: string) => ' '.repeat(spaces.length / 2))
}
