#!/usr/bin/env bash
# Tries the tests on each kind of fresh machine: a clean clone of HEAD, installed there.
#
#   test/machines.sh [--only closed,user,home,memory,path,busy] [--runs N] [--keep] [VITEST ARGUMENTS]
#
#   closed   as this user, below a directory that is closed to others
#   user     as an ordinary user (needs root, and makes the user effect-oss-tests)
#   home     as that user, with a home that can't be written (needs root)
#   memory   with 4 GiB of memory
#   path     in a path with spaces and characters beyond ASCII
#   busy     N times in a row beside two busy loops (default: 10)
#
# Prints a line a machine, with its log if it fails; exits with 1 if any does.
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"
only=closed,user,home,memory,path,busy
runs=10
keep=
while [ $# -gt 0 ]; do
  case "$1" in
    --only) only="$2"; shift 2 ;;
    --runs) runs="$2"; shift 2 ;;
    --keep) keep=1; shift ;;
    *) break ;;
  esac
done
tests=("$@")
user=effect-oss-tests
made_user=
loops=()

work="$(mktemp -d "${TMPDIR:-/tmp}/machines.XXXXXX")"
chmod 755 "$work"
finish() {
  for loop in "${loops[@]}"; do kill "$loop" 2>/dev/null || true; done
  if [ -n "$made_user" ]; then userdel "$user" || true; fi
  if [ -n "$keep" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT

# One store of packages for all machines: ordinary users write to it as well.
store="$work/store"
mkdir -m 777 "$store"
registry="$(npm config get registry)"

# Runs a command as somebody with a home: as USER HOME COMMAND …
as() {
  local who="$1" home="$2"
  shift 2
  local settings=(HOME="$home" npm_config_registry="$registry" npm_config_cache="$home/.npm" CI=1)
  if [ "$who" = "$(id -un)" ]; then env "${settings[@]}" "$@"
  else runuser -u "$who" -- env -u XDG_CONFIG_HOME -u XDG_CACHE_HOME "${settings[@]}" "$@"; fi
}

# A clean clone with its packages: clone USER HOME DIRECTORY
clone() {
  git clone -q "file://$root" "$3" || return 1
  git -C "$3" checkout -q "$(git -C "$root" rev-parse HEAD)" || return 1
  if [ "$1" != "$(id -un)" ]; then chown -R "$1" "$3"; fi
  (cd "$3" && as "$1" "$2" npx -y pnpm@12 install --frozen-lockfile --prefer-offline --store-dir "$store") || return 1
  if [ "$(id -u)" = 0 ]; then chmod -R a+rwX "$store"; fi
}

# Runs the tests of a clone by the Node that the workspace brings: run USER HOME DIRECTORY
run() {
  (cd "$3" && as "$1" "$2" env PATH="$3/node_modules/.bin:$PATH" vitest run "${tests[@]}")
}

ordinary() {
  [ "$(id -u)" = 0 ] || { echo "needs root"; return 75; }
  id "$user" >/dev/null 2>&1 || { useradd --no-create-home --shell /bin/sh "$user"; made_user=1; }
  mkdir -p "$1"
  chown "$user" "$1"
}

me="$(id -un)"

closed() {
  mkdir -m 700 "$work/closed"
  clone "$me" "$HOME" "$work/closed/clone" && run "$me" "$HOME" "$work/closed/clone"
}
user() {
  ordinary "$work/home-user" || return $?
  clone "$user" "$work/home-user" "$work/user" && run "$user" "$work/home-user" "$work/user"
}
home() {
  ordinary "$work/home-closed" || return $?
  clone "$user" "$work/home-closed" "$work/home" || return 1
  # Nothing in it that a run could write to.
  rm -rf "$work/home-closed"
  mkdir -m 555 "$work/home-closed"
  run "$user" "$work/home-closed" "$work/home"
}
memory() {
  clone "$me" "$HOME" "$work/memory" || return 1
  local group="/sys/fs/cgroup/machines-$$"
  if systemd-run --quiet --scope -p MemoryMax=4G true 2>/dev/null; then
    (cd "$work/memory" && PATH="$PWD/node_modules/.bin:$PATH" \
      systemd-run --quiet --scope -p MemoryMax=4G -p MemorySwapMax=0 vitest run "${tests[@]}")
  elif mkdir "$group" 2>/dev/null && echo 4G >"$group/memory.max" 2>/dev/null; then
    local code=0
    (echo "$BASHPID" >"$group/cgroup.procs" && run "$me" "$HOME" "$work/memory") || code=$?
    rmdir "$group"
    return "$code"
  else
    rmdir "$group" 2>/dev/null || true
    echo "neither systemd nor a cgroup limits the whole: each process gets a heap of 1 GiB"
    NODE_OPTIONS=--max-old-space-size=1024 run "$me" "$HOME" "$work/memory"
  fi
}
path() {
  mkdir "$work/with spaces, ümläuts and 漢字"
  clone "$me" "$HOME" "$work/with spaces, ümläuts and 漢字/clone" &&
    run "$me" "$HOME" "$work/with spaces, ümläuts and 漢字/clone"
}
busy() {
  clone "$me" "$HOME" "$work/busy" || return 1
  for _ in 1 2; do
    (while :; do :; done) &
    loops+=("$!")
  done
  local code=0
  for ((count = 1; count <= runs; count++)); do
    echo "run $count of $runs"
    run "$me" "$HOME" "$work/busy" || code=1
  done
  for loop in "${loops[@]}"; do kill "$loop"; done
  loops=()
  return "$code"
}

failed=0
for machine in ${only//,/ }; do
  case "$machine" in closed | user | home | memory | path | busy) ;; *) echo "there is no machine $machine"; exit 2 ;; esac
  begin=$SECONDS
  code=0
  "$machine" >"$work/$machine.log" 2>&1 || code=$?
  case "$code" in
    0) echo "passed: $machine, $((SECONDS - begin)) s" ;;
    75) echo "left out: $machine: $(tail -1 "$work/$machine.log")" ;;
    *) failed=1; cat "$work/$machine.log"; echo "FAILED: $machine, $((SECONDS - begin)) s" ;;
  esac
done
exit "$failed"
