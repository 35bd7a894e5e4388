#!/usr/bin/env bash
# The interface under made-up requests: bash e2e/api.sh http://127.0.0.1:8080 [SECONDS A ROLE]
# Schemathesis makes requests from the OpenAPI document, fitting and not, as several roles of a demo; none may end in a
# failure of ours (500). It changes the deployment: use a demo that is thrown away. Needs python3 with venv, and the PyPI registry.
set -euo pipefail
base=$1
seconds=${2:-25}
work=$(mktemp -d /tmp/kiban-api.XXXXXX)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==4.32.5"
cd "$work"

# The value of a hidden field of the sign-in page's first form whose button holds $1.
sign_in() {
  rm -f jar
  page=$(curl -sS -c jar -b jar "$base/sign-in")
  csrf=$(grep -o 'name="csrf" value="[^"]*' <<<"$page" | head -1 | sed 's/.*"//')
  account=$(grep -F "$1" <<<"$page" | grep -o 'name="account" value="[^"]*' | head -1 | sed 's/.*"//')
  [ -n "$account" ] || { echo "nobody is $1" >&2; exit 1; }
  token=$(curl -sS -c jar -b jar -H "x-csrf-token: $csrf" -H 'content-type: application/json' \
    -d "{\"account\":\"$account\"}" "$base/api/v1/sign-in" | sed -n 's/.*"csrf":"\([^"]*\)".*/\1/p')
  cookie=$(awk '$6 ~ /session/ {print $6"="$7}' jar)
  [ -n "$token" ] && [ -n "$cookie" ] || { echo "$1 is not signed in" >&2; exit 1; }
}

failed=0
all="利用者 受入担当者 確認担当者 加工担当者（ 審査委員会事務局 統括管理責任者 安全管理責任者 監査担当者 医療情報取扱事業者の担当者"
all="$all 登録担当者 提供承認者 提供担当者 照会対応者 承認審査機関等の担当者 審査委員（"
for role in ${ROLES:-$all}; do
  sign_in "$role"
  # Signing in and out would end the visit; the rest is tried.
  if "$work/venv/bin/schemathesis" run "$base/api/v1/openapi.json" --url "$base/api/v1" \
    -H "Cookie: $cookie" -H "x-csrf-token: $token" --checks not_a_server_error --phases coverage,fuzzing \
    --exclude-path-regex '^/sign-(in|out)|^/enrol|^/confirm' --mode all --max-time "$seconds" --workers 1 --seed 1 \
    --request-timeout 30 --suppress-health-check all --warnings off --generation-database none >out 2>&1 && ! grep -q 'No test cases' out; then
    echo "ok $role: $(grep -E 'generated|[0-9]+ (test cases|requests)|passed' out | tail -1 | tr -s ' ')"
  else
    failed=1
    echo "failed $role"
    tail -80 out
  fi
done
exit "$failed"
