#!/usr/bin/env bash
# Sourced by scripts/demo and scripts/test: makes the virtual environment once, then only when the pins change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
  local name
  for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  echo "sy_coverage needs Python 3.11 or newer; install it (Debian/Ubuntu: apt install python3 python3-venv; macOS: brew install python) and run this again." >&2
  exit 2
}

# set_up EXTRAS [PINS]: an environment in .venv with this package and the versions in PINS, EXTRAS as in pyproject.toml
set_up() {
  local extras=$1 pins=${2:-constraints.txt} venv=${SY_COVERAGE_VENV:-.venv} want have python
  want="$extras $(cat pyproject.toml "$pins" | cksum)"
  have=$(cat "$venv/.set-up-$extras" 2>/dev/null || true)
  if [ "$want" != "$have" ]; then
    python=$(find_python)
    echo "Setting up $venv with $("$python" --version) and the versions in $pins (once; a few minutes) …"
    if [ ! -x "$venv/bin/python" ]; then
      "$python" -m venv "$venv" || {
        echo "The venv module is missing; Debian/Ubuntu: apt install python3-venv, then run this again." >&2
        exit 2
      }
    fi
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$pins" -e ".${extras:+[$extras]}"
    echo "Compiling the inner loops (once) …"
    "$venv/bin/python" -c "import sy_coverage.roads.kernel.contour, sy_coverage.roads.kernel.nearest"
    "$venv/bin/python" -c "from sy_coverage.siting.classic.kernels import cover, median, most, odd, prices"
    echo "$want" >"$venv/.set-up-$extras"
  fi
  PATH="$(cd "$venv/bin" && pwd):$PATH"
}
