import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Type } from 'typebox'
import { type Answer, json, type Route, route } from '../route.ts'

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Headrace data streams</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`
const START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', validatorUrl: null })\n"

/** The page loads nothing from elsewhere. */
const POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

const docsRoute = (name: string, path: string, type: string, handle: () => Promise<Answer> | Answer): Route =>
  route({
    name,
    method: 'GET',
    place: 'root',
    path,
    summary: 'The interface, to look at',
    scope: 'open',
    account: 'none',
    answers: { 200: { description: 'a file', content: { [type]: Type.String() } } },
    handle,
  })

const file = (type: string, text: string): Answer => ({
  status: 200,
  text,
  headers: {
    'content-type': `${type}; charset=utf-8`,
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
  },
})

/** A file of the viewer, which is found where it is installed. */
async function viewerFile(name: string, type: string): Promise<Answer> {
  const require = createRequire(import.meta.url)
  const folder = join(dirname(require.resolve('@fastify/swagger-ui/package.json')), 'static')
  return file(type, await readFile(join(folder, name), 'utf8'))
}

export const docsRoutes: readonly Route[] = [
  route({
    name: 'openapi',
    method: 'GET',
    place: 'root',
    path: '/openapi.json',
    summary: 'This document',
    scope: 'open',
    account: 'none',
    answers: { 200: { description: 'OpenAPI 3.1', content: json(Type.Record(Type.String(), Type.Unknown())) } },
    handle: ({ services }) => ({ status: 200, text: services.document() }),
  }),
  docsRoute('docs', '/docs', 'text/html', () => file('text/html', PAGE)),
  docsRoute('docsStart', '/docs/start.js', 'text/javascript', () => file('text/javascript', START)),
  docsRoute('docsStyle', '/docs/swagger-ui.css', 'text/css', () => viewerFile('swagger-ui.css', 'text/css')),
  docsRoute('docsViewer', '/docs/swagger-ui-bundle.js', 'text/javascript', () =>
    viewerFile('swagger-ui-bundle.js', 'text/javascript'),
  ),
]
