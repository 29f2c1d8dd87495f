import type { Drive } from '../../runtime/drive/drive.ts'
import type { DeadLetterQueue } from '../letter-queue.ts'
import type { ScheduledRetries, ScheduledRetriesForm } from './scheduled-retries.ts'
import { queueSettings } from './settings.ts'

/** Undefined where entries are not kept as such, rows do not pass one by one, or nothing is to run again by itself. */
export async function openRetries(
  queue: DeadLetterQueue | undefined,
  form: Omit<ScheduledRetriesForm, 'queue' | 'intervalMs'>,
): Promise<ScheduledRetries | undefined> {
  const settings = queueSettings(form.plan)
  if (queue?.due === undefined || settings.retries === 0) return undefined
  const { ScheduledRetries } = await import('./scheduled-retries.ts')
  const whole = queue as Required<DeadLetterQueue>
  return ScheduledRetries.of({ ...form, queue: whole, intervalMs: settings.reprocess_interval })
}

/** Reads to the end; meanwhile dead letters that may pass by now run again. */
export async function withRetries(drive: Drive, retries: ScheduledRetries | undefined): Promise<boolean> {
  const done = new AbortController()
  // What fails in a step is the drive's failure, too.
  const retrying = retries?.run(done.signal).catch(() => undefined)
  try {
    return await drive.run()
  } finally {
    done.abort()
    await retrying
  }
}
