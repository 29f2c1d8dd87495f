// Follows a chain from a program: the handler is given every batch, the rollback says what was withdrawn. Run it twice:
// it goes on where it stopped.
import { FileCheckpointStorage, HttpBatchSource, runIngest } from 'headrace/chain'

export async function follow(url: string, position: string, print: (line: string) => void): Promise<void> {
  await runIngest(
    HttpBatchSource.fromUrl(url),
    (batch) => print(`batch ${batch.id.number}: ${batch.blockCount()} blocks, L1 ${batch.l1Origin}`),
    {
      storage: new FileCheckpointStorage(position),
      exitWhenIdle: true,
      onRollback: ({ from, to }) => print(`batches ${to.number + 1n}…${from.number} were withdrawn`),
    },
  )
}

if (import.meta.main) {
  const [url = 'http://localhost:8080', position = './position.json'] = process.argv.slice(2)
  await follow(url, position, (line) => process.stdout.write(`${line}\n`))
}
