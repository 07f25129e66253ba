#!/usr/bin/env bash
# Unpacks a MySQL server of Debian sid into .local/mysql-server, to run the tests of the source
# against it; does nothing when it is there. Nothing is installed, nothing outside is changed: apt
# works on lists of its own, packages are only unpacked, and the server runs with its own libraries.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

HOME_OF_SERVER=$PWD/.local/mysql-server
DRAFT=$HOME_OF_SERVER.new
KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

[ ! -x "$HOME_OF_SERVER/mysqld" ] || exit 0
if ! command -v apt-get >/dev/null || [ ! -e "$KEYS" ]; then
    echo "fetch_mysql: apt and Debian's keys ($KEYS) are needed; elsewhere, name a server of your own:" \
        "LOCALAWS_MYSQLD=/path/to/mysqld" >&2
    exit 1
fi
# Where this machine has Debian's packages from.
MIRROR=${MYSQL_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
    'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)}
if [ -z "$MIRROR" ]; then
    echo "fetch_mysql: apt knows no mirror of Debian here: apt-get update, or name one: MYSQL_MIRROR=http://…" >&2
    exit 1
fi
rm -rf "$DRAFT" "$HOME_OF_SERVER"
mkdir -p "$DRAFT"/{files,none,lists/partial,cache/archives/partial}
: >"$DRAFT/status"
echo "deb [signed-by=$KEYS] $MIRROR sid main" >"$DRAFT/sources.list"

apt() {
    apt-get --quiet --quiet -o Dir::Etc::sourcelist="$DRAFT/sources.list" \
        -o Dir::Etc::sourceparts="$DRAFT/none" -o Dir::Etc::preferencesparts="$DRAFT/none" \
        -o Dir::State="$DRAFT" -o Dir::State::status="$DRAFT/status" -o Dir::Cache="$DRAFT/cache" \
        -o APT::Sandbox::User= -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o Binary::apt-get::APT::Keep-Downloaded-Packages=true "$@" </dev/null
}

echo "  Fetching MySQL from Debian sid into .local/mysql-server: about 100 MB, 270 unpacked"
apt update
apt install --download-only --no-install-recommends --assume-yes mysql-server-core >/dev/null
for package in "$DRAFT"/cache/archives/*.deb; do
    case $package in */perl*) ;; *) dpkg --extract "$package" "$DRAFT/files" ;; esac
done
cat >"$DRAFT/mysqld" <<'SCRIPT'
#!/bin/sh
# Through its own loader: Debian sid's programs want a newer C library than this machine may have.
root=$(dirname "$0")/files
libraries=$(echo "$root"/usr/lib/*-linux-gnu)
exec "$root"/usr/lib*/ld-linux-*.so.* --library-path "$libraries:$libraries/private" \
    "$root/usr/sbin/mysqld" --no-defaults --basedir="$root/usr" \
    --lc-messages-dir="$root/usr/share/mysql" "$@"
SCRIPT
chmod +x "$DRAFT/mysqld"
"$DRAFT/mysqld" --version | sed 's/.*Ver/  MySQL/'
rm -rf "$DRAFT"/{lists,cache,none,status,sources.list,lock,lock-frontend}
mv "$DRAFT" "$HOME_OF_SERVER"
