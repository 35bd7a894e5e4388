#!/usr/bin/env bash
# The pages of a small demo in a real browser: bash e2e/run.sh KIBAN [SHOTS]
# Pages, journeys by keyboard, 200 visitors at once, made-up requests to the interface; the seconds of each are printed.
# Needs chromium, node, npm, curl and python3; axe-core (and ws, for a Node without WebSocket) come from the npm registry.
set -euo pipefail
kiban=$(realpath "$1")
shots=${2:-}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d /tmp/kiban-e2e.XXXXXX)
server=
end() {
  status=$?
  if [ -n "$server" ]; then kill -INT "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  if [ "$status" -ne 0 ] && [ -e "$work/log" ]; then tail -20 "$work/log" >&2; fi
  rm -rf "$work"
}
trap end EXIT

cd "$work"
echo "{}" >package.json # else npm may take a folder above for the project
npm install --silent --no-fund --no-audit --ignore-scripts axe-core@4.14.1 ws@8.18.3 >/dev/null
export KIBAN_WS="$work/node_modules/ws/wrapper.mjs"

# Starts what is given on a free port, waits until it answers.
serve() {
  port=$((20000 + RANDOM % 20000))
  "$@" --listen "127.0.0.1:$port" >>"$work/log" 2>&1 &
  server=$!
  until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
    kill -0 "$server" 2>/dev/null || { echo "it ended before it served a page" >&2; exit 1; }
    sleep 1
  done
}
stop() { kill -INT "$server"; wait "$server" || true; server=; }
axe="$work/node_modules/axe-core/axe.min.js"

# Outside a demo: passkeys. The training of the example's handlers is of today.
sed "s/^trained_on = .*/trained_on = \"$(date +%F)\"/" "$here/../apps/kiban/data/parties.toml" >"$work/parties.toml"
"$kiban" init --dir "$work/house" --parties "$work/parties.toml" >"$work/log"
code=$("$kiban" account invite --dir "$work/house" security | sed -n 's/^登録コード：//p')
serve "$kiban" serve --dir "$work/house"
node "$here/passkeys.mjs" "http://localhost:$port" "$code" "$axe" ${shots:+"$shots"}
stop

if [ -n "${SIGN_IN_ONLY:-}" ]; then exit 0; fi

# A small demo: every page as every role, then the journeys by keyboard. PERSONS makes it smaller for a debug build.
serve "$kiban" demo --dir "$work/demo" --persons "${PERSONS:-300}" --seed 3 --serve
took() { local from=$SECONDS; "$@"; echo "   $((SECONDS - from)) s: $(basename "$2")"; }
took node "$here/pages.mjs" "http://127.0.0.1:$port" "$axe" ${shots:+"$shots"}
took node "$here/journeys.mjs" "http://127.0.0.1:$port"
# A debug build says nothing of speed.
if [ -n "${NO_LOAD:-}" ]; then stop; exit 0; fi
took node "$here/load.mjs" "http://127.0.0.1:$port" 200
# Last: it leaves the deployment full of made-up things.
took bash "$here/api.sh" "http://127.0.0.1:$port" "${API_SECONDS:-10}"
stop
