#!/usr/bin/env bash
# Replaces the replicas of the api by new ones, one after the other, without a failed request:
#
#   docker-compose … build api          or pull another GATEWISE_TAG
#   deploy/proxy/update.sh [PROJECT OPTIONS]
#
# Each new replica is healthy before an old one is told to end. That one answers on while it drains.
set -euo pipefail
cd "$(dirname "$0")/../.."

HEALTHY_SECONDS=120
STOP_SECONDS=40 # longer than draining and the longest deadline together
if docker compose version >/dev/null 2>&1; then compose=(docker compose); else compose=(docker-compose); fi
compose+=(-f docker-compose.yml -f deploy/proxy/compose.yml "$@")

is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]; }
ids() { "${compose[@]}" ps -q api; }

old=$(ids)
count=$(wc -w <<<"$old")
[ "$count" -gt 0 ] || { echo 'no replica of the api runs' >&2; exit 1; }
place=0
for replica in $old; do
  place=$((place + 1))
  before=$(ids)
  "${compose[@]}" up -d --no-deps --no-recreate --scale "api=$((count + 1))" api
  new=$(comm -13 <(sort <<<"$before") <(ids | sort))
  deadline=$((SECONDS + HEALTHY_SECONDS))
  until is_healthy "$new"; do
    if [ $SECONDS -ge $deadline ]; then
      docker logs --tail 20 "$new" >&2
      docker rm --force "$new" >/dev/null
      echo "replica $place of $count: the new one is not healthy; it is gone, the others stay" >&2
      exit 1
    fi
    sleep 0.5
  done
  docker stop --time $STOP_SECONDS "$replica" >/dev/null
  docker rm "$replica" >/dev/null
  echo "replica $place of $count: ${replica:0:12} is replaced by ${new:0:12}"
done
