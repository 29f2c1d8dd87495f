import type { TObject, TSchema } from 'typebox'
import { packageVersion } from '../../core/version.ts'
import { type Mount, mountsOf } from '../mounts.ts'
import type { AnswerShape, Route } from '../route.ts'
import { frameAnswer, frameBody } from '../shapes/frame-shape.ts'
import { problemAnswer } from '../shapes/problem-shape.ts'
import { streamAnswer, streamBody, streamPatch } from '../shapes/stream-shape.ts'

/** Schemas that have a name; everywhere else they are referred to. */
const NAMED: ReadonlyMap<TSchema, string> = new Map<TSchema, string>([
  [streamAnswer, 'Stream'],
  [streamBody, 'StreamFields'],
  [streamPatch, 'StreamPatch'],
  [frameAnswer, 'Frame'],
  [frameBody, 'FrameFields'],
  [problemAnswer, 'Problem'],
])

/** What every route can answer; those with a credential, those with a body, and changes can answer more. */
const ALWAYS = [400, 404, 406, 429, 431, 500, 503, 504] as const
const GUARDED = [401, 403, 422] as const
const BODIED = [409, 413, 415, 422] as const
const CHANGING = [412, 428] as const

const HEADERS: Readonly<Record<string, string>> = {
  etag: 'the version',
  location: 'where it is',
  link: 'the next page: rel="next"',
  'next-cursor': 'where the next page begins',
  'idempotent-replay': 'true: it was stored before',
}

/** The OpenAPI 3.1 document of the routes (streams-service.md §11). */
export function openApiDocument(routes: readonly Route[]): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const mount of routes.flatMap(mountsOf)) {
    const path = (paths[mount.path] ??= {})
    path[mount.route.method.toLowerCase()] = operation(mount)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Headrace data streams',
      version: packageVersion(),
      description: 'Streams and frames of many tenants: stored durably, judged by their time, delivered live.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: Object.fromEntries([...NAMED].map(([schema, name]) => [name, schema])),
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'an API key: hr_…' },
        token: {
          type: 'apiKey',
          in: 'query',
          name: 'access_token',
          description: 'a short-lived token, for live reading',
        },
      },
    },
  }
}

function operation({ route, path, base }: Mount): Readonly<Record<string, unknown>> {
  const { name, summary, scope, token, query, headers, body, answers } = route
  return {
    operationId: `${name}${SUFFIXES[base] ?? ''}${path.startsWith('/accounts/{account}/datastreams/streams') || !path.startsWith('/accounts') ? '' : 'Short'}`,
    summary,
    tags: [TAGS.find(([prefix]) => path.startsWith(prefix))?.[1] ?? 'service'],
    ...(scope === 'open' ? {} : { security: [{ key: [] }, ...(token === true ? [{ token: [] }] : []), {}] }),
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => pathParameter(name!)),
      ...parameters('query', query),
      ...parameters('header', headers),
      ...(scope === 'open' ? [] : [header('x-tenant-id', 'must be the tenant of the credential')]),
      ...(route.account === 'none' || path.includes('{account}') ? [] : [header('x-account-id', 'the account')]),
    ],
    ...(body === undefined ? {} : { requestBody: { required: body.required, content: content(body.content) } }),
    responses: {
      ...problems(route),
      ...Object.fromEntries(Object.entries(answers).map(([status, shape]) => [status, response(shape)])),
    },
  }
}

const SUFFIXES: Readonly<Record<string, string>> = {
  '/streams': 'Bare',
  '/accounts/{account}/datastreams/streams': 'OfAccount',
  '/accounts/{account}/datastreams': 'OfAccount',
}

const TAGS: readonly (readonly [string, string])[] = [
  ['/v1/streams', 'streams'],
  ['/streams', 'streams, bare'],
  ['/accounts', 'streams of an account'],
  ['/v1', 'administration'],
]

function problems({ scope, body, method }: Route): Readonly<Record<number, unknown>> {
  const statuses = [
    ...ALWAYS,
    ...(scope === 'open' ? [] : GUARDED),
    ...(body === undefined ? [] : BODIED),
    ...(method === 'GET' ? [410] : CHANGING),
    501,
    502,
  ]
  const problem = { description: 'a fault', content: content({ 'application/problem+json': problemAnswer }) }
  return Object.fromEntries(statuses.map((status) => [status, problem]))
}

function response({ description, content: types, headers = [] }: AnswerShape): Readonly<Record<string, unknown>> {
  return {
    description,
    ...(types === undefined ? {} : { content: content(types) }),
    ...(headers.length === 0
      ? {}
      : {
          headers: Object.fromEntries(
            headers.map((name) => [name, { description: HEADERS[name] ?? '', schema: { type: 'string' } }]),
          ),
        }),
  }
}

const content = (types: Readonly<Record<string, TSchema>>) =>
  Object.fromEntries(Object.entries(types).map(([type, schema]) => [type, { schema: referred(schema) }]))

/** The schema with references in the place of those that have a name. */
function referred(schema: unknown): unknown {
  const name = NAMED.get(schema as TSchema)
  if (name !== undefined) return { $ref: `#/components/schemas/${name}` }
  if (Array.isArray(schema)) return schema.map(referred)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, referred(value)]))
}

const pathParameter = (name: string) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string', minLength: 1, ...(name === 'stream' ? { format: 'uuid' } : {}) },
})

const header = (name: string, description: string) => ({ name, in: 'header', description, schema: { type: 'string' } })

function parameters(place: 'query' | 'header', shape: TObject | undefined): readonly unknown[] {
  if (shape === undefined) return []
  return Object.entries(shape.properties as Readonly<Record<string, TSchema & { description?: string }>>).map(
    ([name, { description, ...schema }]) => ({
      name,
      in: place,
      required: (shape.required as readonly string[] | undefined)?.includes(name) === true,
      ...(description === undefined ? {} : { description }),
      schema,
    }),
  )
}
