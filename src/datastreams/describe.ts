import { packageVersion } from '../core/version.ts'

/** What the package is and needs (streams-service.md §11). */
export const descriptor = {
  package_id: 'headrace.datastreams',
  name: 'datastreams',
  domain: 'datastreams',
  layer: 'service',
  capabilities: ['stream.publish', 'stream.subscribe', 'datastreams'],
  depends_on: ['store', 'svc-accounts'],
  requires_apis: ['store', 'data'],
} as const

export type Descriptor = typeof descriptor

/** The descriptor with what a running service adds. */
export interface Manifest extends Descriptor {
  readonly version: string
  readonly endpoints: readonly string[]
  readonly scopes: readonly string[]
  readonly quotas: Readonly<Record<string, number>>
  readonly limits: Readonly<Record<string, number>>
  readonly durability: 'commit' | 'relaxed'
  readonly bus: 'outbox' | 'direct' | 'none'
}

export const manifestOf = (form: Omit<Manifest, keyof Descriptor | 'version'>): Manifest => ({
  ...descriptor,
  version: packageVersion(),
  ...form,
})
