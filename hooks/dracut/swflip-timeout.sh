#!/bin/sh
# Hook initqueue/timeout (sourced): dracut has waited for two thirds of rd.retry, which only a
# swflip.wait= beyond that can bring about. Better a modem in the wrong mode than the emergency
# shell that comes next.

[ -e /run/swflip ] || echo late > /run/swflip
