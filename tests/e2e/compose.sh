#!/usr/bin/env bash
# Builds both images, then trains and serves with the compose file as a user would.
# Leaves the images, tagged compose-test, so that the next run builds on their layers.
set -euo pipefail
cd "$(dirname "$0")/../.."

READY_SECONDS=90
NEW_MODEL_SECONDS=30
failures=0
started=$SECONDS

say() { printf '[%3ds] %s\n' $((SECONDS - started)) "$*"; }
pass() { say "PASS $*"; }
fail() {
  say "FAIL $*"
  failures=$((failures + 1))
}
skip() {
  echo "SKIP compose test: $*"
  exit 0
}
# check DESCRIPTION COMMAND…: passes if the command succeeds; shows its last line, all if it fails.
check() {
  local what=$1 output
  shift
  if output=$("$@" 2>&1); then
    output=${output##*$'\n'}
    pass "$what${output:+: $output}"
  else
    fail "$what${output:+: $output}"
  fi
}
# must DESCRIPTION COMMAND…: what all later checks need; the log is shown if it fails.
must() {
  local what=$1 from=$SECONDS
  shift
  if "$@" >"$work/log" 2>&1 </dev/null; then
    pass "$what ($((SECONDS - from)) s)"
  else
    tail -n 40 "$work/log"
    fail "$what"
    exit 1
  fi
}

command -v docker >/dev/null || skip 'docker is not installed'
docker info >/dev/null 2>&1 || skip 'no docker engine answers'
command -v python3 >/dev/null || skip 'python3 is not installed'
if docker compose version >/dev/null 2>&1; then
  compose=(docker compose)
elif command -v docker-compose >/dev/null; then
  compose=(docker-compose)
else
  skip 'neither docker compose nor docker-compose is installed'
fi

# Neither the caller's settings nor an .env file decide what is tested.
unset "${!GATEWISE_@}" "${!COMPOSE_@}"
project=gatewise-test-$$
work=$(mktemp -d)
touch "$work/env"
compose+=(--project-name "$project" --env-file "$work/env")
compose+=(--file docker-compose.yml --file docker-compose.override.yml)
GATEWISE_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export GATEWISE_PORT GATEWISE_DATA=$work/data GATEWISE_TAG=compose-test

clean_up() {
  local status=$?
  if [ "$status" -ne 0 ]; then "${compose[@]}" logs --tail 40 api || true; fi
  "${compose[@]}" --profile train down --volumes --remove-orphans >"$work/log" 2>&1 ||
    { cat "$work/log"; say "containers of $project may be left"; }
  rm -rf "$work"
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

api() { docker exec "$api" python -c "$1"; }
inspect() { docker inspect --format "$1" "$api"; }

# is_healthy: waits until the api's own health check has passed.
is_healthy() {
  local deadline=$((SECONDS + READY_SECONDS))
  until [ "$(inspect '{{.State.Health.Status}}')" = healthy ]; do
    [ $SECONDS -lt $deadline ] && [ "$(inspect '{{.State.Running}}')" = true ] || return 1
    sleep 0.5
  done
}

# answers MODEL SECONDS: asks until the model answers; prints the answer, or the last refusal.
answers() {
  python3 - "$GATEWISE_PORT" "$@" <<'PYTHON'
import json, sys, time
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

port, model, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
question = json.dumps({"text": "A warm and clever little film.", "model": model}).encode()
request = Request(
    f"http://127.0.0.1:{port}/predict", question, {"Content-Type": "application/json"}
)
begin = time.monotonic()
while True:
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=10) as response:
            answer = json.load(response)
        break
    except HTTPError as error:
        refusal = error.read().decode()
    except OSError as error:
        refusal = str(error)
    if time.monotonic() - begin > seconds:
        sys.exit(refusal)
    time.sleep(0.2)
fits = answer["model"] == model and answer["label"] in answer["probabilities"]
print(f"{answer['label']} {answer['score']:.3f} by {model}:{answer['version']}", end="")
print(f" after {time.monotonic() - begin:.1f} s")
sys.exit(not fits)
PYTHON
}

write_reviews() {
  mkdir "$GATEWISE_DATA"
  python3 - "$GATEWISE_DATA/reviews.csv" <<'PYTHON'
import csv, itertools, sys

things = ("kettle", "lamp", "jacket", "keyboard", "tent", "chair", "radio", "backpack", "pan", "clock")
uses = ("in the kitchen", "on a long trip", "every morning", "at the office", "with my sister")
words = {
    "praise": ("works wonderfully", "is a delight", "feels solid and lovely", "was worth every cent"),
    "blame": ("broke at once", "is a nuisance", "feels cheap and flimsy", "was a waste of money"),
}
with open(sys.argv[1], "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(("text", "label"))
    for thing, use in itertools.product(things, uses):
        for label, verdicts in words.items():
            writer.writerows((f"The {thing} I use {use} {verdict}.", label) for verdict in verdicts)
PYTHON
  chmod -R a+rX "$work"
}

train() {
  "${compose[@]}" run --rm -T trainer train --dataset /data/reviews.csv --name reviews \
    --epochs 1 --vocabulary 300 --units 16 --embedding 16
}

IS_CONFINED='
import errno, os, sys
if os.getuid() == 0:
    sys.exit("runs as root")
try:
    open("/var/tmp/probe", "w")
except OSError as error:
    if error.errno != errno.EROFS:
        sys.exit(f"refused, but not as read-only: {error}")
else:
    sys.exit("the root file system can be written to")
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
if int(status["CapBnd"], 16):
    sys.exit("has capabilities: " + status["CapBnd"].strip())
if status["NoNewPrivs"].strip() != "1":
    sys.exit("may gain privileges")
print("uid", os.getuid())'

HAS_NO_TENSORFLOW='
import importlib.util, sys
found = [name for name in ("tensorflow", "keras") if importlib.util.find_spec(name)]
sys.exit("there is " + ", ".join(found) if found else 0)'

HAS_NO_COMPILER='
import shutil, sys
found = [name for name in ("cc", "gcc", "clang", "as", "ld") if shutil.which(name)]
sys.exit("there is " + ", ".join(found) if found else 0)'

ENGINES_ARE_NATIVE='
import json, sys
from urllib.request import ProxyHandler, build_opener
with build_opener(ProxyHandler({})).open("http://127.0.0.1:8000/models", timeout=10) as response:
    models = json.load(response)["models"]
engines = {model["name"]: [one.get("engine") for one in model["versions"]] for model in models}
print(", ".join(f"{name} with {found}" for name, found in engines.items()))
sys.exit(not engines or any(set(found) != {"native"} for found in engines.values()))'

# Of all processes but this one: the first is docker-init, which needs next to nothing.
PEAK_KIB='
import os
from pathlib import Path
files = (path for path in Path("/proc").glob("[0-9]*/status") if int(path.parts[2]) != os.getpid())
lines = [line.split() for path in files for line in path.read_text().splitlines()]
print(sum(int(words[1]) for words in lines if words[0] == "VmHWM:"))'

stays_below_limit() {
  local limit peak
  limit=$(($(inspect '{{.HostConfig.Memory}}') / 1024))
  peak=$(api "$PEAK_KIB")
  echo "peak $((peak / 1024)) MiB of $((limit / 1024)) MiB"
  [ "$limit" -gt 0 ] && [ "$peak" -lt "$limit" ] && [ "$(inspect '{{.State.OOMKilled}}')" = false ]
}
start_of_api() { inspect '{{.Id}} {{.State.StartedAt}} {{.RestartCount}}'; }
is_same_start() { [ "$(start_of_api)" = "$1" ]; }
stops_by_itself() {
  docker stop "$api" >/dev/null
  local code
  code=$(inspect '{{.State.ExitCode}}')
  echo "exit code $code"
  # The server ends in order, and then by the signal itself: 128 + 15. A kill would be 137.
  [ "$code" = 143 ] && docker logs "$api" 2>&1 | grep -q 'Finished server process'
}

say "compose test with ${compose[0]}, project $project, port $GATEWISE_PORT"
must 'the service image is built' "${compose[@]}" build api
must 'the training image is built' "${compose[@]}" --profile train build trainer
for image in service training; do
  say "     gatewise-$image: $(docker image inspect --format '{{.Size}}' gatewise-$image:$GATEWISE_TAG | awk '{print int($1 / 1e6)}') MB"
done

must 'the api starts' "${compose[@]}" up -d api
api=$("${compose[@]}" ps -q api)
must 'the api is healthy' is_healthy
start=$(start_of_api)
check 'the shipped model answers' answers imdb-gru 0
check 'the api is confined' api "$IS_CONFINED"
check 'the api has no TensorFlow' api "$HAS_NO_TENSORFLOW"
check 'the api has no compiler' api "$HAS_NO_COMPILER"

write_reviews
check 'the trainer is confined' \
  "${compose[@]}" run --rm -T --entrypoint python trainer -c "$IS_CONFINED"
must 'a model is trained in a container' train
check 'the running api answers from the new model' answers reviews $NEW_MODEL_SECONDS
check 'the shipped model still answers' answers imdb-gru 0
check 'all versions are served by the native engine' api "$ENGINES_ARE_NATIVE"
check 'the api was not restarted' is_same_start "$start"
check 'the api stays below its memory limit' stays_below_limit
check 'the api ends by itself on SIGTERM' stops_by_itself

if [ $failures -gt 0 ]; then
  say "FAIL compose test: $failures failed"
  exit 1
fi
say 'PASS compose test'
