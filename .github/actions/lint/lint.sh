#!/usr/bin/env bash
# Runs `bulkhead lint` with the inputs of action.yml, which come as variables. Needs Node from 22.19.
set -euo pipefail
project=$(cd "$ACTION/../../.." && pwd)
if [ ! -d "$project/node_modules/yaml" ]; then
  (cd "$project" && npm ci --omit=dev --ignore-scripts --no-audit --no-fund >&2)
fi

words=("--tenants=$TENANTS")
option() { if [ -n "$2" ]; then words+=("--$1=$2"); fi; }
option config "$CONFIG"
option namespaces "$NAMESPACES"
option namespace "$NAMESPACE"
# The namespace is that of objects without one: all others are reported too.
words+=(--all-namespaces)
option baseline "$BASELINE"
if [ "$ALLOW_WARNINGS" = true ]; then words+=(--allow-warnings); fi
if [ "$AS_PLATFORM" = true ]; then words+=(--as-platform); fi
# Without patterns: a name is a name.
set -f
# shellcheck disable=SC2206
files=($FILES)
for folder in $EXCLUDE; do words+=("--exclude=$folder"); done
lint() { node "$project/src/main.ts" lint "${words[@]}" --output="$1" -- "${files[@]}"; }

if [ -n "$SARIF" ]; then
  code=0
  lint sarif >"$SARIF" || code=$?
  if [ "$code" -ge 2 ]; then exit "$code"; fi
fi
lint github
