#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles src/main/cuda to PTX and writes what the PTX was made of beside it. Needs nvcc 13.
# hopper.cu is for compute capability 9.0 alone, ring.cu for 9.0 and everything newer, the others
# for 8.0 and everything newer.
# Usage: src/build/kernels.sh [NAME...]   in the folder of this module
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
out=$here/src/main/resources/dev/consort/cuda/kernels
mkdir -p "$out"
cd "$here/src/main/cuda"
names=${*:-$(ls *.cu | sed 's/\.cu$//')}
for name in $names; do
  target=compute_80
  [ "$name" = hopper ] && target=compute_90a
  [ "$name" = ring ] && target=compute_90
  nvcc -ptx -gencode "arch=$target,code=$target" -std=c++17 -O3 -o "$out/$name.ptx" "$name.cu"
  # The compiler names its own version, and hints that only it knows; drivers from 12.0 on take 8.0.
  sed -i -e 's/^\.version .*/.version 8.0/' -e '/used_bytes_mask/d' "$out/$name.ptx"
done
cat $(ls *.cu *.cuh | LC_ALL=C sort) | sha256sum | cut -d' ' -f1 > "$out/sources.sha256"
(cd "$out" && cat $(ls *.ptx | LC_ALL=C sort) | sha256sum | cut -d' ' -f1 > ptx.sha256)
