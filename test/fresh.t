#!/bin/sh
# A new user's first command, on another release than this.
# root: only root can make a system of its own

exec "$(dirname "$0")/fresh" trixie demo
