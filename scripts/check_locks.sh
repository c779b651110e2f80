#!/usr/bin/env bash
# The lock carries hashes and no addresses, and every requirement of pyproject.toml stands in it.
set -euo pipefail
cd "$(dirname "$0")/.."
if grep -rn '://' requirements/; then
    echo "a lock file names an address" >&2
    exit 1
fi
PYTHON=${PYTHON:-.venv/bin/python}
"$PYTHON" scripts/check_locks.py
