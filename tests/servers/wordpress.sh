#!/bin/bash
# Installs what tests/servers/wordpress.py starts: Debian's WordPress, MariaDB without its service,
# PHP for the command line. Usage: tests/servers/wordpress.sh install. Nothing is started.
set -euo pipefail
[ "${1:-}" = install ] || { echo "usage: $0 install" >&2; exit 2; }
needed=(
    wordpress wordpress-theme-twentytwentythree mariadb-server-core mariadb-client-core
    php-cli php-mysql php-xml php-mbstring php-intl
)
missing=()
for name in "${needed[@]}"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
