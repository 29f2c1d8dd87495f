-- One-minute revenue per channel: a JSON-lines file in, a JSON-lines file out.
-- @name clicks

CREATE STREAM clicks (
  event_time TIMESTAMP,
  user_id    STRING,
  amount     DOUBLE,
  status     STRING,
  latency    BIGINT,
  channel    STRING,
  WATERMARK FOR event_time AS event_time - INTERVAL '2' SECOND
) FROM 'clicks.jsonl';

INSERT INTO 'revenue.jsonl'
SELECT window_start, channel, COUNT(*) AS clicks, SUM(amount) AS revenue, AVG(latency) AS latency
FROM clicks
WHERE status = 'ok'
GROUP BY channel, TUMBLE(event_time, INTERVAL '1' MINUTE);
