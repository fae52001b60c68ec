#!/bin/sh
# Stands in for cargo: says what it was asked and which server it was told about, and fails where it is told to.
echo "asked for: $*; server: ${MYSQL_URL-none}"
case "$*" in
    *"${FAIL_ON:-nothing fails}"*) exit 42 ;;
esac
