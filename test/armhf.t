#!/bin/sh
# The seed's story on armhf.

exec "$(dirname "$0")/vm" -a armhf seed
