import { fileURLToPath } from 'node:url'
import ts from 'typescript'

export const PAGE = new URL('../../../docs/client.md', import.meta.url)

const src = fileURLToPath(new URL('../src', import.meta.url))
const ENTRIES = [
  ['tidings', 'index'], ['tidings/react', 'react'], ['tidings/tanstack-query', 'tanstack-query'],
  ['tidings/webhooks', 'webhooks']
] as const

/** In characters: a longer type is left out. */
const MAX_TYPE = 600

/** The reference of the client, from the declarations and comments of its sources. */
export function renderReference (): string {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} }
  const config = ts.getParsedCommandLineOfConfigFile(`${src}/../tsconfig.build.json`, {}, host)
  if (!config) throw new Error('tsconfig.build.json cannot be read')
  const program = ts.createProgram(config.fileNames, { ...config.options, noEmit: true })
  const describe = createDescriber(program.getTypeChecker())
  const sections = ENTRIES.map(([entry, file]) => {
    const source = program.getSourceFile(`${src}/${file}.ts`)
    if (!source) throw new Error(`${file}.ts is not compiled`)
    return `## ${entry}\n\n${describe(source).join('\n\n')}`
  })
  return `# The client: reference

<!-- Written from packages/client/src by npm run docs -->

How to use it: [packages/client](../packages/client/README.md). Types that are named here and not listed are schemas of
the [OpenAPI documents](openapi), shown with examples at \`/docs\`.

${sections.join('\n\n')}
`
}

/** Describes what a module exports: functions and classes first, then types. */
function createDescriber (checker: ts.TypeChecker) {
  return function describeModule (source: ts.SourceFile): string[] {
    const module = checker.getSymbolAtLocation(source)
    const symbols = (module ? checker.getExportsOfModule(module) : []).map(symbol =>
      symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
    const isType = ({ flags }: ts.Symbol) => Number(!(flags & ts.SymbolFlags.Value))
    return symbols.sort((a, b) => isType(a) - isType(b) || (a.name < b.name ? -1 : 1)).map(describe)
  }

  function describe (symbol: ts.Symbol): string {
    const [declaration] = symbol.declarations ?? []
    if (!declaration) throw new Error(`${symbol.name} has no declaration`)
    const comment = commentOf(symbol)
    const head = `### ${symbol.name}\n${comment && `\n${comment}\n`}`
    if (ts.isFunctionDeclaration(declaration)) return `${head}\n${code(`${symbol.name}${callOf(declaration)}`)}`
    const type = checker.getDeclaredTypeOfSymbol(symbol)
    const members = type.isUnion() ? [] : type.getProperties().filter(isOwn)
    if (members.length === 0) return `${head}\n${code(declaration.getText().replace(/^export /, ''))}`
    return `${head}\n${members.map(member => memberText(member)).join('\n')}`
  }

  /** A line of a list; the methods of a group are below it. */
  function memberText (member: ts.Symbol, indent = ''): string {
    const { name, flags, valueDeclaration: declaration } = member
    const isOptional = (flags & ts.SymbolFlags.Optional) !== 0
    const value = declaration && valueOf(declaration)
    const group = value && ts.isObjectLiteralExpression(value) ? checker.getTypeAtLocation(value).getProperties() : []
    const comment = commentOf(member) || (declaration && docOf(declaration)) || ''
    const text = group.length > 0 ? name : `${name}${isOptional ? '?' : ''}${member.declarations && typeOf(member)}`
    const line = `${indent}- \`${oneLine(text)}\`${comment && `: ${oneLine(comment)}`}`
    return [line, ...group.map(inner => memberText(inner, `${indent}  `))].join('\n')
  }

  /** `: string`, or the parameters and result of a method. */
  function typeOf (member: ts.Symbol): string {
    const declaration = member.valueDeclaration ?? member.declarations?.[0]
    const value = declaration && valueOf(declaration)
    if (value && ts.isFunctionLike(value)) return callOf(value)
    if (value && ts.isCallExpression(value)) return routeOf(value)
    const cast = value && ts.isAsExpression(value) ? value.type.getText() : undefined
    const node = declaration && 'type' in declaration ? declaration.type as ts.Node | undefined : undefined
    const text = cast ?? node?.getText() ?? checker.typeToString(checker.getTypeOfSymbol(member))
    const named = text.replace(/\/\*.*?\*\//gs, '').replace(/components\["schemas"\]\["(\w+)"\]/g, '$1')
      .replaceAll('"', "'")
    return named.length > MAX_TYPE ? '' : `: ${named}`
  }

  /** What makes a member of an object: a function, the call of `route`, a variable's initializer. */
  function valueOf (declaration: ts.Node): ts.Node | undefined {
    if (ts.isPropertyAssignment(declaration)) return declaration.initializer
    if (!ts.isShorthandPropertyAssignment(declaration)) return undefined
    const value = checker.getShorthandAssignmentValueSymbol(declaration)?.valueDeclaration
    return value && ts.isVariableDeclaration(value) ? value.initializer : value
  }

  /** The comment of the function that a shorthand property names. */
  function docOf (declaration: ts.Node): string {
    const value = ts.isShorthandPropertyAssignment(declaration)
      ? checker.getShorthandAssignmentValueSymbol(declaration)
      : undefined
    return value ? commentOf(value) : ''
  }

  /** Text, or the description that openapi-typescript writes as a tag. */
  function commentOf (symbol: ts.Symbol): string {
    const tag = symbol.getJsDocTags(checker).find(({ name }) => name === 'description')
    const text = ts.displayPartsToString(tag ? tag.text : symbol.getDocumentationComment(checker)).trim()
    return text === 'Format: date-time' ? 'A time, in ISO 8601' : text.replace(/^Format: .*/, '')
  }

  /** The method of `route<[id: number], Webhook>('GET /webhooks/:id')`. */
  function routeOf ({ expression, typeArguments, arguments: [route] }: ts.CallExpression): string {
    const [args, ...texts] = typeArguments ?? []
    const [first, second, third] = texts.map(text => text.getText())
    if (!args || !first || !route || !ts.isStringLiteral(route)) throw new Error(`${expression.getText()} is no route`)
    const isPages = expression.getText() === 'pages'
    const parameters = [tupleOf(args).slice(1, -1), `options?: ${isPages ? third : second ?? 'RequestOptions'}`]
    const result = isPages ? `Pages<${first}, ${second}>` : `Promise<${first}>`
    return ` (${parameters.filter(text => text !== '').join(', ')}): ${result}`
  }

  /** `[id: number]`, also where it has a name. */
  function tupleOf (args: ts.TypeNode): string {
    const alias = ts.isTypeReferenceNode(args) ? checker.getSymbolAtLocation(args.typeName) : undefined
    const [declaration] = alias?.declarations ?? []
    return declaration && ts.isTypeAliasDeclaration(declaration) ? declaration.type.getText() : args.getText()
  }
}

/** Members of our own, not those of Error, of iterators and of symbols. */
const isOwn = ({ declarations = [], name }: ts.Symbol) =>
  !name.startsWith('__@') && declarations.every(declaration => declaration.getSourceFile().fileName.startsWith(src))

/** `<Type> (id: string, options?: Options): Promise<Job>`; a destructured parameter is called `options`. */
function callOf (declaration: ts.SignatureDeclaration): string {
  const generic = declaration.typeParameters?.map(parameter => parameter.getText()).join(', ')
  const parameters = declaration.parameters.map(({ name, type, initializer, questionToken }) => {
    const isPattern = ts.isObjectBindingPattern(name)
    const optional = initializer || questionToken ? '?' : ''
    return `${isPattern ? optional ? 'options' : 'props' : name.getText()}${optional}${type ? `: ${type.getText()}` : ''}`
  })
  const result = declaration.type ? `: ${declaration.type.getText()}` : ''
  return `${generic ? `<${generic}>` : ''} (${parameters.join(', ')})${result}`
}

const oneLine = (text: string) => text.replace(/\s+/g, ' ')

const code = (text: string) => `\`\`\`ts\n${text}\n\`\`\``
