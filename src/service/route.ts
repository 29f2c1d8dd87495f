import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TObject, TSchema } from 'typebox'
import type { Scope } from '../datastreams/api-keys.ts'
import type { Credential } from './access/credential.ts'
import type { Services } from './services.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** Where a route answers: below every prefix of streams, below `/v1`, or at the root (streams-service.md §3.1). */
export type Place = 'streams' | 'v1' | 'root'

/** What is sent. `text` is JSON unless `headers` say another type. */
export interface Answer {
  readonly status: number
  readonly text?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** The handler has answered by itself. */
export const ANSWERED = Symbol('answered')

export interface AnswerShape {
  readonly description: string
  /** Content types with their schemas; none: no body. */
  readonly content?: Readonly<Record<string, TSchema>>
  readonly headers?: readonly string[]
}

/** One request on its way through a handler. */
export interface Call<Q = unknown> {
  readonly services: Services
  /** Its name. */
  readonly route: string
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** Milliseconds since 1970 when its first byte was seen. */
  readonly receivedAt: number
  readonly credential: Credential
  /** Empty where the route has none. */
  readonly account: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Q
  /** The path of the streams as the caller sees it: `/v1/streams`. */
  readonly base: string
  /** Lists are arrays, or envelopes with their cursor. */
  readonly lists: 'array' | 'envelope'
}

/** A route is data: it drives dispatch, checks, the OpenAPI document and the client. */
export interface Route {
  /** Unique; the operation of the document. */
  readonly name: string
  readonly method: Method
  readonly place: Place
  /** Below the place, with `{names}`. */
  readonly path: string
  /** Also served as `/accounts/{account}/datastreams` + this. */
  readonly short?: string
  readonly summary: string
  /** What the credential must have; `open`: no credential is needed. */
  readonly scope: Scope | 'open'
  /** The handler needs an account. `body`: the account may also be named in the body, so it is looked up there. */
  readonly account: 'needed' | 'body' | 'none'
  /** A token in the query is taken, too. */
  readonly token?: true
  /** Answers by itself, for long: no HEAD. */
  readonly live?: true
  readonly query?: TObject | undefined
  readonly body?: { readonly content: Readonly<Record<string, TSchema>>; readonly required: boolean }
  readonly headers?: TObject
  readonly answers: Readonly<Record<number, AnswerShape>>
  readonly handle: (call: Call<never>) => Promise<Answer | typeof ANSWERED> | Answer
}

/** A route whose handler knows the types of its query. */
export const route = <Q extends TObject = TObject<Record<never, never>>>(
  shape: Omit<Route, 'query' | 'handle'> & {
    readonly query?: Q
    readonly handle: (call: Call<Static<Q>>) => Promise<Answer | typeof ANSWERED> | Answer
  },
): Route => shape as Route

export const json = (schema: TSchema): Readonly<Record<string, TSchema>> => ({ 'application/json': schema })
