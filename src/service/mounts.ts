import type { Route } from './route.ts'

/** A route at one of its paths. */
export interface Mount {
  readonly route: Route
  /** With `:names`, as the router has it. */
  readonly url: string
  /** With `{names}`, as the document has it. */
  readonly path: string
  /** Of paths without their query. */
  readonly matches: RegExp
  /** Where the streams lie, `{account}` not filled in. */
  readonly base: string
  readonly lists: 'array' | 'envelope'
}

const ACCOUNT = '/accounts/{account}/datastreams'

/** Everywhere a route answers (streams-service.md §3.1). */
export function mountsOf(route: Route): readonly Mount[] {
  if (route.place === 'root') return [mount(route, '', route.path, 'array')]
  if (route.place === 'v1') return [mount(route, '/v1', route.path, 'envelope')]
  const mounts = [
    mount(route, '/v1/streams', route.path, 'envelope'),
    mount(route, '/streams', route.path, 'array'),
    mount(route, `${ACCOUNT}/streams`, route.path, 'array'),
  ]
  return route.short === undefined ? mounts : [...mounts, mount(route, ACCOUNT, route.short, 'array')]
}

function mount(route: Route, base: string, below: string, lists: Mount['lists']): Mount {
  const path = `${base}${below}`
  const url = path.replace(/\{(\w+)\}/g, ':$1')
  const matches = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '[^/]+')}/?$`)
  return { route, path, url, matches, base, lists }
}
