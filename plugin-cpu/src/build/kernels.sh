#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles the kernels, once for each instruction set, into one shared library.
# kernels.sh SOURCES OBJECTS OUT
set -e
sources=$1
objects=$2
library=$3/libconsort_cpu.so
mkdir -p "$objects"

stamp=$(cat "$0" "$sources"/* | cksum)
if [ -f "$library" ] && [ "$stamp" = "$(cat "$objects/stamp" 2>/dev/null)" ]; then
  exit 0
fi

flags="-std=gnu11 -O3 -ffp-contract=off -fno-math-errno -fPIC -fvisibility=default -Wall -Wextra"
avx2="-mavx2 -mfma -mf16c"
avx512="$avx2 -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vnni -mavx512bf16"
if ! echo 'int none;' | cc $avx512 -x c -c -o "$objects/probe.o" - 2>/dev/null; then
  echo "cc knows no AVX-512 with VNNI and BF16 (gcc 10 or clang 9 do): the CPU plugin is built" \
    "without native kernels and will use its portable path." >&2
  rm -f "$library"
  exit 0
fi
rm -f "$objects"/*.o
cc $flags -c "$sources/base.c" -o "$objects/base.o"
cc $flags -c "$sources/pack.c" -o "$objects/pack.o"
cc $flags $avx2 -DISA=avx2 -c "$sources/kernels.c" -o "$objects/avx2.o" &
first=$!
cc $flags $avx512 -DISA=avx512 -c "$sources/kernels.c" -o "$objects/avx512.o"
wait $first
cc -shared -o "$library" "$objects"/*.o -lm
echo "$stamp" > "$objects/stamp"
