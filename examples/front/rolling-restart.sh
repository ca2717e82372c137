#!/bin/sh
# Restarts nodes one after another, the next when the one before is ready again:
#
#   RESTART='systemctl restart chat@%' ./rolling-restart.sh a=http://10.0.0.1:3002 b=http://10.0.0.2:3002
#
# RESTART ends a node with SIGTERM and starts it anew; % stands for its name. READY_S (60) is how long a node has to be ready, SETTLE_S (2)
# how long the proxy then has to see it. It stops at the first node that does not come back: the others go on with what they run.
set -eu
: "${RESTART:?how is a node restarted?}" "${READY_S:=60}" "${SETTLE_S:=2}"

for node in "$@"; do
  name=${node%%=*}
  url=${node#*=}
  echo "$name: restarting"
  sh -c "$(printf '%s' "$RESTART" | sed "s/%/$name/g")"
  end=$(($(date +%s) + READY_S))
  until curl -fsS -m 3 -o /dev/null "$url/ready" 2> /dev/null; do
    if [ "$(date +%s)" -ge "$end" ]; then
      echo "$name: not ready after $READY_S s at $url/ready; stopping here" >&2
      exit 1
    fi
    sleep 0.2
  done
  echo "$name: ready"
  sleep "$SETTLE_S"
done
