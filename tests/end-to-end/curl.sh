#!/usr/bin/env bash
# The data-streams service with curl alone: every step has the status and the code that are expected. It starts the service
# by itself, once without and once with credentials. Usage: curl.sh [command that is headrace]
set -euo pipefail
headrace=${1:-headrace}
folder=$(mktemp -d)
pids=()
end() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap end EXIT
steps=0

serve() { # name, arguments… → $base
  local name=$1
  shift
  # shellcheck disable=SC2086
  $headrace serve --json --port 0 --data-dir "$folder/$name" --set log.level=error "$@" >"$folder/$name.out" &
  pids+=($!)
  for _ in $(seq 300); do
    [ -s "$folder/$name.out" ] && break
    kill -0 "${pids[-1]}" || exit 1
    sleep 0.1
  done
  base=$(sed 's/.*"url":"\([^"]*\)".*/\1/' "$folder/$name.out")
}

step() { # what, status, code or text in the answer, curl arguments…
  local what=$1 status=$2 text=$3 got
  shift 3
  got=$(curl -s -o "$folder/answer" -w '%{http_code}' "$@" || true)
  if [ "$got" != "$status" ] || { [ -n "$text" ] && ! grep -qF -- "$text" "$folder/answer"; }; then
    echo "$what: expected $status and $text, got $got: $(head -c 500 "$folder/answer")" >&2
    exit 1
  fi
  steps=$((steps + 1))
}
field() { sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/" "$folder/answer"; }
json=(-H 'content-type: application/json')

serve dev --dev
step create 201 '"symbol":"ETH-USD"' "$base/v1/streams" "${json[@]}" \
  -d '{"name":"Market Data Feed","symbol":"eth-usd","frequency":"1s","sla_ms":1000,"status":"active"}'
id=$(sed 's/^{"id":"\([^"]*\)".*/\1/' "$folder/answer")
frames="$base/v1/streams/$id/frames"
step post 201 '"sequence_str":"1764583200123456789"' "$frames" "${json[@]}" \
  -d '{"sequence":1764583200123456789,"latency_ms":45,"payload":{"price":1850.50}}'
step 'post again' 200 '"position":1,' "$frames" "${json[@]}" \
  -d '{"sequence":1764583200123456789,"latency_ms":45,"payload":{"price":1850.50}}'
step 'another frame of that sequence' 409 '"code":"sequence_conflict"' "$frames" "${json[@]}" \
  -d '{"sequence":1764583200123456789,"payload":{"price":1}}'
step list 200 '"data":[{' "$frames"
step latest 200 '"price":1850.50' "$base/v1/streams/$id/latest"
step 'bad JSON' 400 '"code":"invalid_json"' "$frames" "${json[@]}" -d '{"sequence":'
step 'negative sequence' 422 'sequence must be positive' "$frames" "${json[@]}" -d '{"sequence":-1}'
step 'negative latency' 201 '"latency_ms":0' "$frames" "${json[@]}" -d '{"sequence":5,"latency_ms":-7}'
step 'largest sequence' 201 '"sequence":9223372036854775807,' "$frames" "${json[@]}" -d '{"sequence":9223372036854775807}'
step 'too large a sequence' 422 '"code":"validation"' "$frames" "${json[@]}" -d '{"sequence":9223372036854775808}'
printf '{"payload":{"text":"%s"}}' "$(head -c 2000000 /dev/zero | tr '\0' x)" >"$folder/large.json"
step 'a frame of 2 MB' 413 '"code":"too_large"' "$frames" "${json[@]}" --data-binary "@$folder/large.json"
printf '{"sequence":11}\n{"sequence":0}\n' >"$folder/lines"
step 'lines' 200 '{"summary":{"created":1,"duplicate":0,"failed":1}}' "$frames" \
  -H 'content-type: application/x-ndjson' --data-binary "@$folder/lines"
step 'bad limit' 400 '"code":"invalid_limit"' "$frames?limit=none"
step 'unknown path' 404 '"code":"not_found"' "$base/nothing"
step 'wrong method' 405 '"code":"method_not_allowed"' -X PATCH "$frames"

# Live: a frame that is posted while somebody follows.
curl -sN --max-time 20 "$base/v1/streams/$id/subscribe" -H 'accept: text/event-stream' >"$folder/live" &
pids+=($!)
for _ in $(seq 100); do grep -q 'event: ready' "$folder/live" 2>/dev/null && break; sleep 0.1; done
step 'post to a follower' 201 '"sequence":12,' "$frames" "${json[@]}" -d '{"sequence":12,"payload":{"live":true}}'
for _ in $(seq 100); do grep -q '"live":true' "$folder/live" && break; sleep 0.1; done
grep -q '^event: frame' "$folder/live" && grep -q '"live":true' "$folder/live" || { echo "follow live: $(cat "$folder/live")" >&2; exit 1; }
steps=$((steps + 1))

step pause 200 '"status":"paused"' -X PATCH "$base/v1/streams/$id" "${json[@]}" -d '{"status":"paused"}'
step 'a paused stream' 409 '"code":"stream_paused"' "$frames" "${json[@]}" -d '{"sequence":13}'
step delete 204 '' -X DELETE "$base/v1/streams/$id"
step 'a deleted stream' 404 '"code":"not_found"' "$base/v1/streams/$id"

# With credentials: the first key makes an account and a stream.
admin=$($headrace streams keys generate)
export HEADRACE_STREAMS_AUTH_PEPPER=pepper HEADRACE_STREAMS_AUTH_ADMIN_KEY=$admin
serve keys
key=(-H "authorization: Bearer $admin")
step 'no key' 401 '"code":"unauthorized"' "$base/v1/streams"
step 'wrong key' 401 '"code":"unauthorized"' "$base/v1/streams" -H "authorization: Bearer ${admin%?}_"
step 'an account' 201 '"id":"plant-1"' "$base/v1/accounts" "${key[@]}" "${json[@]}" -d '{"id":"plant-1","name":"Plant 1"}'
step 'a stream of it' 201 '"account_id":"plant-1"' "$base/v1/streams" "${key[@]}" "${json[@]}" -d '{"name":"n","symbol":"s"}'
step 'wrong tenant' 403 'forbidden: tenant mismatch' "$base/v1/streams" "${key[@]}" -H 'x-tenant-id: another'
step 'an account that is not there' 404 '"code":"not_found"' "$base/accounts/plant-9/datastreams" "${key[@]}"
step 'a key that only appends' 201 '"key":"hr_' "$base/v1/keys" "${key[@]}" "${json[@]}" \
  -d '{"name":"sensors","scopes":["streams:append"],"accounts":["plant-1"]}'
sensor=$(field key)
step 'reading with it' 403 '"code":"insufficient_scope"' "$base/v1/streams" -H "authorization: Bearer $sensor"
echo "$steps steps as expected"
