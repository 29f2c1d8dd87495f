import type { Check, Health } from '../../connectors/contract.ts'
import type { Clock } from '../../core/clock.ts'
import { HeadraceError, HeadraceErrors } from '../../core/errors.ts'
import { described, hasMethods } from '../../core/option-names.ts'
import { misuse, refuseUnknown } from './errors.ts'
import type { CheckResult, Waiting } from './types.ts'

/** Of one source or sink. */
const CHECK_MS = 5000

/** Looks at one endpoint; what goes wrong is in the answer, only an aborted `signal` throws. */
export async function checkEndpoint(
  uri: string,
  clock: Clock,
  { signal }: Waiting,
  look: (signal: AbortSignal) => Promise<readonly Check[] | Health>,
): Promise<CheckResult> {
  signal?.throwIfAborted()
  const started = clock.elapsedMs()
  const stop = new AbortController()
  const forward = (): void => stop.abort(signal?.reason)
  signal?.addEventListener('abort', forward, { once: true })
  const over = clock.sleep(CHECK_MS, stop.signal).then((): Health => {
    const issue = { code: 'connector_timeout', detail: `no answer within ${CHECK_MS / 1000} s` }
    return { state: 'unhealthy', issues: [issue] }
  })
  try {
    const found = await Promise.race([look(stop.signal).catch(failed), over])
    signal?.throwIfAborted()
    const latencyMs = clock.elapsedMs() - started
    return { uri, latencyMs, ...('state' in found ? found : healthOf(found)) }
  } finally {
    signal?.removeEventListener('abort', forward)
    stop.abort()
  }
}

function failed(error: unknown): Health {
  const errors = error instanceof HeadraceErrors ? error.errors : [error]
  const issues = errors.map((one) => {
    if (!(one instanceof HeadraceError)) return { code: 'internal', detail: String(one) }
    return { code: one.code, detail: one.message, ...(one.hint === undefined ? {} : { hint: one.hint }) }
  })
  const isUnknown = errors.every((one) => one instanceof HeadraceError && one.code === 'not_implemented')
  return { state: isUnknown ? 'unknown' : 'unhealthy', issues }
}

function healthOf(checks: readonly Check[]): Pick<CheckResult, 'state' | 'issues'> {
  const bad = checks.filter(({ ok }) => !ok)
  const issues = bad.map(({ name, detail, hint }) => ({ code: name, detail, ...(hint === undefined ? {} : { hint }) }))
  return { state: bad.length === 0 ? 'healthy' : 'unhealthy', issues }
}

/** What can be asked how it is. */
export interface Checkable {
  check(options?: Waiting): Promise<CheckResult>
}

/** Sources and sinks at once, each within 5 s; the results come in their order. */
export async function checkAll(items: readonly Checkable[], options: Waiting = {}): Promise<readonly CheckResult[]> {
  refuseUnknown('checkAll', options, { signal: true })
  if (!Array.isArray(items)) {
    throw misuse(`checkAll: sources and sinks come as an array, not ${described(items)}`, 'checkAll([source, sink])')
  }
  for (const [i, item] of items.entries()) {
    if (hasMethods(item, 'check')) continue
    throw misuse(`checkAll: item ${i} is ${described(item)}, which cannot be checked`, 'give sources and sinks')
  }
  return await Promise.all(items.map((item) => item.check(options)))
}
