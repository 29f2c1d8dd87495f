/** A query of the public suite that both engines run: ours, DuckDB's over table `bid`, and the columns of the result. */
export interface NexmarkQuery {
  readonly name: string
  readonly ours: string
  readonly duckdb: string
  /** Columns as DuckDB reads our JSON lines. */
  readonly columns: string
}

const CHANNEL = "REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2)"
const channelCase = (rest: string): string =>
  `CASE LOWER(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3' ELSE ${rest} END AS channel_id`
const BIG = "LOWER(channel) IN ('apple', 'google', 'facebook', 'baidu')"
const TIMES = `CASE WHEN HOUR(dateTime) >= 8 AND HOUR(dateTime) <= 18 THEN 'dayTime' WHEN HOUR(dateTime) <= 6 OR HOUR(dateTime) >= 20 THEN 'nightTime' ELSE 'otherTime' END AS bidTimeType`
const LETTERS = "LENGTH(extra) - LENGTH(REPLACE(extra, 'c', '')) AS c_counts"
const IDS = "auction: 'BIGINT', bidder: 'BIGINT'"

export const prelude = (uri: string): string => `
CREATE STREAM events (event_type INT,
  person STRUCT<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING, dateTime TIMESTAMP, extra STRING>,
  auction STRUCT<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT, dateTime TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra STRING>,
  bid STRUCT<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, dateTime TIMESTAMP, extra STRING>,
  row_time AS COALESCE(person.dateTime, auction.dateTime, bid.dateTime), WATERMARK FOR row_time AS row_time - INTERVAL '4' SECOND
) FROM '${uri}';
CREATE VIEW bid AS SELECT bid.* REPLACE (row_time AS dateTime) FROM events WHERE event_type = 2;
`

/** q0, q1, q2, q14 (a built-in in place of the user function), q21, q22. */
export const queries: readonly NexmarkQuery[] = [
  {
    name: 'q0',
    ours: 'SELECT auction, bidder, price, dateTime, extra FROM bid',
    duckdb: 'SELECT auction, bidder, price, dateTime, extra FROM bid',
    columns: `{${IDS}, price: 'BIGINT', dateTime: 'TIMESTAMP', extra: 'VARCHAR'}`,
  },
  {
    name: 'q1',
    ours: 'SELECT auction, bidder, 0.908 * price AS price, dateTime, extra FROM bid',
    duckdb:
      'SELECT auction, bidder, (0.908::DECIMAL(3,3) * price::DECIMAL(19,0))::DECIMAL(23,3) AS price, dateTime, extra FROM bid',
    columns: `{${IDS}, price: 'DECIMAL(23,3)', dateTime: 'TIMESTAMP', extra: 'VARCHAR'}`,
  },
  {
    name: 'q2',
    ours: 'SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0',
    duckdb: 'SELECT auction, price FROM bid WHERE auction % 123 = 0',
    columns: "{auction: 'BIGINT', price: 'BIGINT'}",
  },
  {
    name: 'q14',
    ours: `SELECT auction, bidder, 0.908 * price AS price, ${TIMES}, dateTime, extra, ${LETTERS} FROM bid WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000`,
    duckdb: `SELECT auction, bidder, p AS price, ${TIMES}, dateTime, extra, ${LETTERS} FROM (SELECT *, (0.908::DECIMAL(3,3) * price::DECIMAL(19,0))::DECIMAL(23,3) AS p FROM bid) WHERE p > 1000000 AND p < 50000000`,
    columns: `{${IDS}, price: 'DECIMAL(23,3)', bidTimeType: 'VARCHAR', dateTime: 'TIMESTAMP', extra: 'VARCHAR', c_counts: 'BIGINT'}`,
  },
  {
    name: 'q21',
    ours: `SELECT auction, bidder, price, channel, ${channelCase(CHANNEL)} FROM bid WHERE ${CHANNEL} IS NOT NULL OR ${BIG}`,
    duckdb: `SELECT auction, bidder, price, channel, ${channelCase(`NULLIF(${CHANNEL}, '')`)} FROM bid WHERE NULLIF(${CHANNEL}, '') IS NOT NULL OR ${BIG}`,
    columns: `{${IDS}, price: 'BIGINT', channel: 'VARCHAR', channel_id: 'VARCHAR'}`,
  },
  {
    name: 'q22',
    ours: "SELECT auction, bidder, price, channel, SPLIT_INDEX(url, '/', 3) AS dir1, SPLIT_INDEX(url, '/', 4) AS dir2, SPLIT_INDEX(url, '/', 5) AS dir3 FROM bid",
    duckdb:
      "SELECT auction, bidder, price, channel, split_part(url, '/', 4) AS dir1, split_part(url, '/', 5) AS dir2, split_part(url, '/', 6) AS dir3 FROM bid",
    columns: `{${IDS}, price: 'BIGINT', channel: 'VARCHAR', dir1: 'VARCHAR', dir2: 'VARCHAR', dir3: 'VARCHAR'}`,
  },
]
