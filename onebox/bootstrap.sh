#!/usr/bin/env bash
# Makes everything that `make demo` and `make test` need, from a Debian with Python 3.11 and nothing
# else. Says what it will install before it does, never starts a system service, and does nothing,
# quickly, when all is there. Undone by `make clean` (Debian packages stay).
# With the argument `browser` it adds Chromium, in which the tests use Airflow's pages.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

UV_VERSION=0.13.9
VENV=.venv
LOG=.local/bootstrap.log
STAMP=$VENV/installed-from
LOOPS=.local/loops-compiled

say() { printf '%s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# step TEXT COMMAND...: runs the command into the log; prints the text, then how long it took.
step() {
    local text=$1 began=$SECONDS
    shift
    printf '  %-58s' "$text"
    if "$@" >>"$LOG" 2>&1 </dev/null; then
        printf '%4d s\n' $((SECONDS - began))
    else
        printf 'failed\n\n'
        tail -n 20 "$LOG" >&2
        die "the whole output is in $LOG"
    fi
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-python3.11 python3 python}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 is needed and was not found. On Debian 12: apt-get install python3;" \
        "elsewhere, name it: PYTHON=/path/to/python3.11 make setup"
}

has() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

# missing_packages PYTHON EXTRA: the Debian packages whose content is not there yet, whoever
# installed it.
missing_packages() {
    has make || echo make
    has mariadbd && has mariadb-install-db || echo mariadb-server-core
    has my_print_defaults || echo mariadb-client-core
    has setpriv || echo util-linux
    if [ "$2" = browser ]; then
        has chromium || echo chromium
        has chromedriver || echo chromium-driver
    fi
    "$1" -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    # mysqlclient, which Airflow's MySQL provider demands, comes as source only.
    if [ ! -e "$STAMP" ]; then
        has gcc || echo gcc
        has pkg-config || echo pkg-config
        pkg-config --exists libmariadb 2>/dev/null || echo libmariadb-dev
        "$1" -c 'import os, sysconfig as s, sys
sys.exit(not os.path.exists(os.path.join(s.get_path("include"), "Python.h")))' || echo python3-dev
    fi
}

# Before the work, and with the terminal: sudo may ask for a password.
check_may_install() {
    local command="apt-get install --no-install-recommends $*"
    has apt-get || die "there is no apt-get here; please install the equivalents of: $*"
    [ "$(id -u)" -eq 0 ] && return
    has sudo || die "as root, please run: $command"
    sudo -v || die "sudo is needed for: $command"
    AS_ROOT=(sudo)
}

AS_ROOT=()
install_packages() {
    local -a apt=("${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive apt-get)
    local -a install=("${apt[@]}" install -y --no-install-recommends "$@")
    # Package lists may be absent or out of date; they are fetched only then.
    "${install[@]}" || { "${apt[@]}" update && "${install[@]}"; }
}

make_virtualenv() {
    "$1" -m venv --clear "$VENV"
    "$VENV/bin/python" -m pip install "uv==$UV_VERSION"
}

install_requirements() {
    # pip reads the pip.conf of those who have a mirror; uv does not, and is ten times as fast.
    "$VENV/bin/python" -m uv pip install --python "$VENV/bin/python" -r requirements-dev.txt ||
        "$VENV/bin/python" -m pip install -r requirements-dev.txt
}

# The reader's loops, which otherwise the first task would compile and wait for.
compile_loops() {
    PYTHONPATH=plugins "$VENV/bin/python" -m mysql_arrow
    touch "$LOOPS"
}

main() {
    local python packages wanted began=$SECONDS
    python=$(find_python)
    packages=$(missing_packages "$python" "${1:-}" | tr '\n' ' ')
    wanted=$({ cat requirements-dev.txt localaws/requirements-ministack.txt; echo "$UV_VERSION"; \
        "$python" --version; } | sha256sum | cut -d' ' -f1)
    if [ -z "$packages" ] && [ "$(cat "$STAMP" 2>/dev/null)" = "$wanted" ] \
        && [ -x "$VENV/bin/python" ] && [ -d .venv-ministack ] \
        && [ "$LOOPS" -nt plugins/mysql_arrow/kernels.py ] && [ "$LOOPS" -nt "$STAMP" ]; then
        return
    fi

    mkdir -p "$(dirname "$LOG")"
    say "Setting up. This installs:"
    [ -z "$packages" ] || say "  * Debian packages (system-wide, no service is started): $packages"
    say "  * into $VENV: Airflow and the packages of requirements-dev.txt, about 1.4 GB"
    say "  * into .venv-ministack: the S3 and SQS emulator, about 90 MB"
    say "Everything but the Debian packages stays in this directory; \`make clean\` removes it."
    if [ -n "$packages" ]; then
        # shellcheck disable=SC2086  # a list of package names
        check_may_install $packages
        # shellcheck disable=SC2086
        step "Debian packages" install_packages $packages
    fi
    "$VENV/bin/python" -m uv --version >/dev/null 2>&1 \
        || step "virtualenv with uv $UV_VERSION" make_virtualenv "$python"
    step "Python packages (some minutes with a slow network)" install_requirements
    step "S3 and SQS emulator" "$VENV/bin/python" -m localaws install
    printf '%s\n' "$wanted" >"$STAMP"
    step "The reader's loops, compiled" compile_loops
    say "Set up in $((SECONDS - began)) s."
}

main "$@"
