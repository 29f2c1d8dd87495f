import type { ValidateFunction } from 'ajv'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { openApiDocument } from '../openapi/document.ts'
import type { Route } from '../route.ts'

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

/** What one answer is, as far as the document speaks of it. */
export interface SeenAnswer {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly type: string | undefined
  readonly text: string
}

/** Holds answers against the document: their status, their type, their schema. */
export class CheckedAnswers {
  readonly #paths: readonly { readonly matches: RegExp; readonly operations: Readonly<Record<string, Operation>> }[]
  readonly #ajv
  readonly #validators = new Map<object, ValidateFunction>()

  constructor(routes: readonly Route[]) {
    const document = openApiDocument(routes) as {
      readonly paths: Record<string, Record<string, Operation>>
      readonly components: object
    }
    const ajv = new Ajv.default({ strict: false })
    addFormats.default(ajv)
    this.#ajv = ajv.addSchema({ $id: 'document', components: document.components })
    this.#paths = Object.entries(document.paths)
      // The fixed ones first: `/streams/{stream}` also fits `/streams/x`.
      .sort(([a], [b]) => a.split('{').length - b.split('{').length)
      .map(([path, operations]) => ({ matches: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`), operations }))
  }

  /** Throws where the answer is not one of the document. Paths and methods that it does not have answer 404 and 405. */
  check({ method, path, status, type, text }: SeenAnswer): void {
    const where = `${method} ${path} → ${status} ${type ?? 'without a body'}`
    const found = this.#paths.find(({ matches }) => matches.test(path.split('?')[0]!))
    const operation = found?.operations[method === 'HEAD' ? 'get' : method.toLowerCase()]
    if (operation === undefined) {
      if (status === 404 || status === 405 || status === 204) return
      throw new Error(`${where}: the document has no such operation`)
    }
    const response = operation.responses[status]
    if (response === undefined) throw new Error(`${where}: the document has no such status`)
    if (method === 'HEAD') return
    if (response.content === undefined) {
      if (text !== '') throw new Error(`${where}: a body that the document does not have`)
      return
    }
    const media = response.content[type?.split(';')[0] ?? '']
    if (media === undefined) throw new Error(`${where}: the document has no such type`)
    if (!/json$/.test(type!.split(';')[0]!) || /ndjson/.test(type!)) return
    const validate = this.#validator(media.schema)
    if (!validate(JSON.parse(text))) throw new Error(`${where}: ${this.#ajv.errorsText(validate.errors)}\n${text}`)
  }

  #validator(schema: object): ValidateFunction {
    const known = this.#validators.get(schema)
    if (known !== undefined) return known
    const text = JSON.stringify(schema).replaceAll('"#/components', '"document#/components')
    const validate = this.#ajv.compile(JSON.parse(text) as object)
    this.#validators.set(schema, validate)
    return validate
  }
}
