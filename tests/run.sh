#!/usr/bin/env bash
# Every check of the product, from a fresh clone: installs what is missing, then builds, lints and tests.
#
#   tests/run.sh           everything a change must pass
#   tests/run.sh --quick   format, clippy and cargo test on both databases; names what it leaves out
#   tests/run.sh --full    everything, with longer property tests and the dependency policy (deny.toml)
#
# The first red step ends the run with a non-zero status. A missing tool is a failure, never a reason to skip.
# Needs: Rust, Node.js >= 20.19 with npm, and Debian's apt-get (root or sudo) for whatever else is missing.
# Writes only below the target directory and in one temporary directory that it removes.
set -Eeuo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly ROOT=$PWD

usage() { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

mode=normal
for argument in "$@"; do
  case $argument in
    --quick) mode=quick ;;
    --full) mode=full ;;
    -h | --help) usage; exit 0 ;;
    *) printf 'unknown option: %s\n\n' "$argument" >&2; usage >&2; exit 2 ;;
  esac
done
readonly mode

# --- where things go ------------------------------------------------------------------------------------------

TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
mkdir -p "$TARGET"
TARGET=$(cd "$TARGET" && pwd)
readonly TARGET NODE_HOME=$TARGET/node PYTHON_HOME=$TARGET/python
readonly CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
# Not TASUKI_…: that prefix sets keys of the product, and an unknown one is fatal there.
export TEST_TARGET_DIR=$TARGET TEST_PROGRAM=$TARGET/debug/tasuki CHROMIUM
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
# The lint tools look for newer versions of themselves and report their use; neither belongs into a test.
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true NO_UPDATE_NOTIFIER=1
# Cargo's own settings decide the number of build jobs: CARGO_BUILD_JOBS is passed on as it is.

# --- steps ----------------------------------------------------------------------------------------------------

passed=0
current=
work_dir=
postgres_data=
postgres_user=

die() { printf 'tests/run.sh: %s\n' "$*" >&2; exit 1; }

# step NAME COMMAND…: announces, runs, times. Deliberately not inside an `if`: errexit must stay in force in COMMAND.
step() {
  local started=$SECONDS
  current=$1
  printf '\n==> %s\n' "$current"
  "${@:2}"
  passed=$((passed + 1))
  printf '<== %s: ok, %d s\n' "$current" $((SECONDS - started))
  current=
}

# limit SECONDS COMMAND…: a hung command turns red instead of eating the run. On a terminal the person is the limit,
# because timeout(1) would keep Ctrl-C from the command.
limit() {
  if [[ -t 0 ]]; then "${@:2}"; else timeout --kill-after=15 "$@"; fi
}

finish() {
  local status=$?
  trap - EXIT
  set +e
  stop_postgres
  [[ -z $work_dir ]] || rm -rf -- "$work_dir"
  if ((status == 0)); then
    printf '\nall steps took %d s\n%d passed, 0 failed\n' "$SECONDS" "$passed"
  else
    printf '\nFAILED: %s (after %d s)\n%d passed, 1 failed\n' "${current:-before the first step}" "$SECONDS" "$passed"
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# --- what must be installed -----------------------------------------------------------------------------------

as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    command -v sudo >/dev/null || die "needs root or sudo for: $*"
    sudo "$@"
  fi
}

have() { command -v "$1" >/dev/null 2>&1; }

# The newest server binaries; Debian keeps them off PATH.
postgres_bin() {
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin -type d 2>/dev/null | sort -V | tail -n 1)
  if [[ -n $newest && -x $newest/initdb && -x $newest/pg_ctl ]]; then
    printf '%s\n' "$newest"
  elif have initdb && have pg_ctl; then
    dirname "$(command -v initdb)"
  else
    return 1
  fi
}

# btree_gist is in Debian's server package, but elsewhere it may be in a separate contrib package.
have_postgres() {
  local bin
  bin=$(postgres_bin) && [[ -e $("$bin/pg_config" --sharedir 2>/dev/null)/extension/btree_gist.control ]]
}

# Debian's, for which python3-scipy is; HiGHS came with SciPy 1.9.
PYTHON=${PYTHON:-/usr/bin/python3}
have_scipy() { [[ -x $PYTHON ]] && "$PYTHON" -c 'from scipy.optimize import milp' 2>/dev/null; }

have_venv() { [[ -x $PYTHON ]] && "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; }

have_japanese_font() { have fc-list && [[ -n $(fc-list :lang=ja 2>/dev/null | head -n 1) ]]; }

install_system_packages() {
  local missing=()
  have cargo || die 'Rust is missing: install the toolchain named in Cargo.toml (rust-version) first'
  cargo fmt --version >/dev/null 2>&1 || die "Rust's rustfmt component is missing"
  cargo clippy --version >/dev/null 2>&1 || die "Rust's clippy component is missing"
  if ! { have cc && have make; }; then missing+=(build-essential); fi
  have perl || missing+=(perl)
  have_postgres || missing+=(postgresql)
  if [[ $mode != quick ]]; then
    if ! { have node && have npm; }; then missing+=(nodejs npm); fi
    [[ -x $CHROMIUM ]] || missing+=(chromium chromium-driver)
    have_japanese_font || missing+=(fontconfig fonts-noto-cjk)
    have_scipy || missing+=(python3-scipy)
    have_venv || missing+=(python3-venv)
  fi
  if ((${#missing[@]} > 0)); then
    have apt-get || die "missing, and there is no apt-get to install them: ${missing[*]}"
    printf 'installing from Debian: %s\n' "${missing[*]}"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
  fi

  have cc || die 'no C compiler'
  have perl || die 'no perl'
  have_postgres || die 'no PostgreSQL server binaries with btree_gist'
  if [[ $mode != quick ]]; then
    [[ -x $CHROMIUM ]] || die "no Chromium at $CHROMIUM (set CHROMIUM to its path)"
    have_japanese_font || die 'no font with Japanese glyphs: screenshots would show boxes'
    have_scipy || die 'no SciPy with a solver (python3-scipy)'
    have_venv || die 'no venv module (python3-venv)'
    have node || die 'no Node.js'
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
      die "Node.js $(node --version) is too old: the lint tools need 20.19 or newer"
    have npm || die 'no npm'
  fi
}

# Pinned by tests/tools/package-lock.json. No package runs a script of its own while it is installed.
install_node_tools() {
  mkdir -p "$NODE_HOME"
  if cmp -s tests/tools/package-lock.json "$NODE_HOME/installed-lock.json"; then
    echo 'already installed'
  else
    rm -f "$NODE_HOME/installed-lock.json"
    cp tests/tools/package.json tests/tools/package-lock.json "$NODE_HOME/"
    (cd "$NODE_HOME" && limit 600 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp tests/tools/package-lock.json "$NODE_HOME/installed-lock.json"
  fi
  # Spectral resolves what a ruleset extends from the ruleset's own directory.
  cp tests/tools/redocly.yaml tests/tools/spectral-oas.yaml tests/tools/spectral-owasp.yaml "$NODE_HOME/"
}

# What reads our calendar files and verifies our webhooks; pinned, each with what it needs.
install_python_tools() {
  if cmp -s tests/tools/requirements.txt "$PYTHON_HOME/installed-requirements.txt"; then
    echo 'already installed'
  else
    rm -rf "$PYTHON_HOME"
    "$PYTHON" -m venv "$PYTHON_HOME"
    limit 600 "$PYTHON_HOME/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement tests/tools/requirements.txt
    cp tests/tools/requirements.txt "$PYTHON_HOME/installed-requirements.txt"
  fi
}

# --- PostgreSQL -----------------------------------------------------------------------------------------------

# PostgreSQL refuses to run as root.
as_postgres() {
  if ((EUID == 0)); then
    (cd "$work_dir" && runuser -u "$postgres_user" -- "$@")
  else
    (cd "$work_dir" && "$@")
  fi
}

start_postgres() {
  local bin port password attempt
  bin=$(postgres_bin)
  if ((EUID != 0)); then
    postgres_user=$(id -un)
  elif id -u postgres >/dev/null 2>&1; then
    postgres_user=postgres
  else
    postgres_user=nobody
  fi

  # Short, for the path of a socket may have 107 bytes at most.
  work_dir=$(mktemp -d /tmp/tasuki-test.XXXXXXXX)
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s\n' "$password" >"$work_dir/password"
  mkdir "$work_dir/socket"
  chmod 600 "$work_dir/password"
  if ((EUID == 0)); then chown -R "$postgres_user" "$work_dir"; fi
  as_postgres "$bin/initdb" --pgdata="$work_dir/data" --username=tasuki --pwfile="$work_dir/password" \
    --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync >"$work_dir/initdb.log" 2>&1 ||
    { cat "$work_dir/initdb.log" >&2; die 'initdb failed'; }

  # Durability is off because the cluster dies with this run; it is never a setting for production.
  cat >>"$work_dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$work_dir/socket'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 300
timezone = 'UTC'
log_timezone = 'UTC'
CONF

  # A free port can be taken between looking and binding: the server itself decides, and another one is tried.
  for attempt in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 20000))
    if as_postgres "$bin/pg_ctl" start --pgdata="$work_dir/data" --wait --timeout=60 --silent \
      --log="$work_dir/server.log" --options="-p $port" </dev/null; then
      postgres_data=$work_dir/data
      break
    fi
    echo "port $port: attempt $attempt failed"
  done
  if [[ -z $postgres_data ]]; then
    cat "$work_dir/server.log" >&2
    die 'PostgreSQL did not start'
  fi

  export TASUKI_TEST_POSTGRES_URL=postgres://tasuki:$password@127.0.0.1:$port/postgres
  export TASUKI_REQUIRE_POSTGRES=1
  PGPASSWORD=$password "$bin/psql" --no-psqlrc --tuples-only --no-align --host=127.0.0.1 --port="$port" \
    --username=tasuki --dbname=postgres --command='SELECT version()'
}

# Ends the server that this run started, and no other: the first line of postmaster.pid is its process id.
stop_postgres() {
  local pid waited
  [[ -n $postgres_data && -f $postgres_data/postmaster.pid ]] || return 0
  pid=$(head -n 1 "$postgres_data/postmaster.pid")
  kill -INT "$pid" 2>/dev/null || return 0
  for ((waited = 0; waited < 100; waited++)); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  # The data is thrown away in a moment: no reason to be gentle any longer.
  kill -QUIT "$pid" 2>/dev/null || true
}

# --- what the steps run ---------------------------------------------------------------------------------------

check_docs() {
  RUSTDOCFLAGS='-D warnings' limit 1800 cargo doc --locked --no-deps --document-private-items
}

test_rust() {
  if [[ $mode == full ]]; then
    export TEST_FULL=1 PROPTEST_CASES=${PROPTEST_CASES:-5000}
  fi
  limit 3000 cargo test --locked
}

check_dependencies() {
  local tools=$TARGET/tools
  if ! have cargo-deny && [[ ! -x $tools/bin/cargo-deny ]]; then
    limit 2400 cargo install cargo-deny --version 0.20.2 --locked --root "$tools"
  fi
  # Advisories are not part of it: their database is a repository of its own, which a closed network cannot reach.
  PATH=$tools/bin:$PATH limit 300 cargo deny --locked check bans licenses sources
}

# Plans are solved again by a solver that shares nothing with ours.
compare_plans() {
  local count=50
  [[ $mode != full ]] || count=500
  limit 1200 cargo run --locked --quiet --example allocation_instances -- "$count" |
    limit 1200 "$PYTHON" tests/solver/compare.py
}

# Calendar files are read by a parser that shares nothing with their writer.
read_calendars() {
  limit 600 cargo run --locked --quiet --example calendar_files -- 100 | limit 300 "$PYTHON_HOME/bin/python" tests/calendar/check.py
}

# Webhooks are verified by the specification's own verifier. It refuses what is older than five minutes.
verify_webhooks() {
  limit 600 cargo run --locked --quiet --example webhook_capture -- "$(date +%s)" |
    limit 300 "$PYTHON_HOME/bin/python" tests/webhooks/verify.py
}

lint_redocly() {
  limit 300 "$NODE_HOME/node_modules/.bin/redocly" lint --config "$NODE_HOME/redocly.yaml" openapi/openapi.json
}

# Exceptions for single operations name the document by its path from the ruleset: both lie in one directory.
lint_spectral() {
  cp openapi/openapi.json "$NODE_HOME/openapi.json"
  limit 300 "$NODE_HOME/node_modules/.bin/spectral" lint --ruleset "$NODE_HOME/$1" \
    --fail-severity=hint --display-only-failures "$NODE_HOME/openapi.json"
}

# The generated client lives beside node_modules, where both the compiler and Node.js find its one dependency.
build_client() {
  local client=$NODE_HOME/client bin=$NODE_HOME/node_modules/.bin
  rm -rf "$client"
  mkdir -p "$client"
  cp tests/client/*.ts tests/client/tsconfig.json "$client/"
  printf '{ "type": "module" }\n' >"$client/package.json"
  limit 300 "$bin/openapi-typescript" openapi/openapi.json --output "$client/schema.d.ts"
  (cd "$client" && limit 300 "$bin/tsc" --project tsconfig.json)
}

# --- the run --------------------------------------------------------------------------------------------------

step 'what must be installed' install_system_packages
[[ $mode == quick ]] || step 'Node.js tools' install_node_tools
[[ $mode == quick ]] || step 'Python tools' install_python_tools
step 'cargo fmt' cargo fmt --all -- --check
step 'cargo clippy' limit 2400 cargo clippy --locked --all-targets -- -D warnings
[[ $mode == quick ]] || step 'cargo doc' check_docs
step 'PostgreSQL cluster' start_postgres
step 'cargo test on SQLite and PostgreSQL' test_rust
if [[ $mode == quick ]]; then
  printf '\n--quick left out: cargo doc, the second solver, calendar files, webhooks, the OpenAPI document, its linters, the TypeScript client, the browser\n'
  exit 0
fi
step 'plans solved again by another solver' compare_plans
step 'calendar files read by another parser' read_calendars
step 'webhooks verified by the reference verifier' verify_webhooks
# What the tests were built with: a plain build would choose other features of the dependencies and build them all again.
step 'the program that the next steps drive' limit 1800 cargo test --locked --quiet --no-run
step 'openapi --check' limit 120 "$TEST_PROGRAM" openapi --check
step 'redocly lint' lint_redocly
step 'spectral: OpenAPI rules' lint_spectral spectral-oas.yaml
step 'spectral: OWASP rules' lint_spectral spectral-owasp.yaml
step 'TypeScript client: generate and compile' build_client
step 'TypeScript client: scenario' limit 300 node tests/client/run.mjs
step 'browser' limit 1500 node tests/browser/run.mjs
[[ $mode != full ]] || step 'dependency policy' check_dependencies
