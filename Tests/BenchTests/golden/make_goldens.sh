#!/usr/bin/env bash
# Draws the frames that TrialRecordingTests compares with: every fourth frame of an oracle's first episode, for three seeds.
# From the root of the package, after `swift build`; then look at them, because the tests take them for right.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
rm -f "$here"/maze-*.png
for seed in 1 2 3; do
    # Twelve headings show more than the default's four.
    options=(--step-length 0.375 --turn-degrees 30)
    if ((seed == 3)); then options+=(--frame-width 64 --frame-height 48 --field-of-view 75); fi
    .build/debug/rl2x frames --agent oracle --seed "$seed" --scale 1 --out "$work/$seed" "${options[@]}"
    for file in "$work/$seed"/episode-01-step-*.png; do
        step=${file##*-step-}
        if ((10#${step%.png} % 4 == 0)); then cp "$file" "$here/maze-$seed-step-$step"; fi
    done
done
