#!/usr/bin/env bash
# Makes records/ and the tables of them in all formats, which ComparisonTests compares. From the root of the package, after
# `swift build`; then look at the tables, because the test takes them for right.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.build/debug/rl2x bench run "$here/records.yaml" --out "$work/run"
rm -rf "$here/records"
cp -r "$work/run/records" "$here/records"
for format in text markdown csv json; do
    .build/debug/rl2x bench report "$here/records" --format "$format" >"$here/tables.$format"
done
