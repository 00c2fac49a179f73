#!/bin/sh
# Hook initqueue/finished (sourced): dracut goes on to the root file system when swflip has ended,
# however it ended.

[ -e /run/swflip ]
