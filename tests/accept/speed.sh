#!/bin/sh
# Four whole training steps, side by side with PyTorch where it is installed.
set -eu
if ! ${PYTHON:-python3} -c 'import torch' 2>/dev/null; then
    echo "skipped: no PyTorch"
    exit 0
fi
cmake --build "$(dirname "$ELMAN")" --target bench
${PYTHON:-python3} bench/compare_training.py "$(dirname "$ELMAN")/bench_training"
