#!/bin/sh
# The seed's story on arm64.

exec "$(dirname "$0")/vm" -a arm64 seed
