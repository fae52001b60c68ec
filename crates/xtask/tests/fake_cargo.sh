#!/bin/sh
# Stands in for cargo: says what it was asked and which server it was told about, and fails where it is told to. Where it
# is asked for the test programs of the workspace, it names those in the folder TEST_PROGRAMS.
echo "asked for: $*; server: ${MYSQL_URL-none}${PRIVATE_MYSQL_PROGRAM+; mysql: $PRIVATE_MYSQL_PROGRAM; plugins: $MARIADB_PLUGIN_FOLDER}${DASHBOARD_BROWSER+; browser: $DASHBOARD_BROWSER}"
case "$*" in
    *"${FAIL_ON:-nothing fails}"*) exit 42 ;;
esac
case "$*" in
    *--workspace*--message-format=json*)
        for program in "${TEST_PROGRAMS:-/nowhere}"/*; do
            printf '{"manifest_path":"%s/Cargo.toml","target":{"name":"%s"},"profile":{"test":true},"executable":"%s"}\n' \
                "$PWD" "${program##*/}" "$program"
        done
        ;;
esac
