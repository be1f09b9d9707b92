#!/usr/bin/env bash
# Units of an instance, never two at a time:
#   looker.sh eu content lookml usage activity
#   looker.sh eu activity --window 2026-01-01 2026-02-01
set -euo pipefail
cd "$(dirname "$0")"
instance=${1:?say which instance and groups, as above}
shift
set -a
. "./$instance.env"
TAP_LOOKER_INSTANCE=$instance
UNIT_STATES=states
set +a
# Wait for two hours at most while another one runs, then give up with exit code 75.
exec flock --wait 7200 --conflict-exit-code 75 "$instance.lock" python3 looker_unit.py "$@"
