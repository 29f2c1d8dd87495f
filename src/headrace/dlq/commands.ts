import { crc32cTwin } from '../../kernels/crc32c.ts'
import type { Checksum } from '../../log/frame.ts'
import { type QueueState, readQueue } from './queue-state.ts'

/** For commands: they read a few entries and need no kernels. */
export const commandChecksum: Checksum = { crc32c: (bytes) => crc32cTwin(bytes) }

export const queueState = (directory: string): QueueState => readQueue(directory, commandChecksum)
