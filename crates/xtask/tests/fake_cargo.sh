#!/bin/sh
# Stands in for cargo: says what it was asked and which server it was told about, and fails where it is told to.
echo "asked for: $*; server: ${MYSQL_URL-none}${PRIVATE_MYSQL_PROGRAM+; mysql: $PRIVATE_MYSQL_PROGRAM; plugins: $MARIADB_PLUGIN_FOLDER}"
case "$*" in
    *"${FAIL_ON:-nothing fails}"*) exit 42 ;;
esac
