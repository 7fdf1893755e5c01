#!/usr/bin/env bash
# Runs the fuzz targets whose names have WORD in them, each for so many seconds, on the stable
# toolchain: tests/fuzz.sh [SECONDS [WORD]]
#
# A target is a unit test `fuzz_…` under `--cfg fuzzing`, so it reaches private parsers. The compiler
# counts which edges of the program an input takes (LLVM's sancov), and libFuzzer keeps the inputs
# that take a new one, in target/fuzz/corpus. An input that fails is in target/fuzz/failures; put it
# into the module's properties.rs as a test.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60} word=${2:-fuzz_}

flags=(--cfg fuzzing --cfg fuzzing_libfuzzer -Cpasses=sancov-module -Clink-dead-code)
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  flags+=("-Cllvm-args=-sanitizer-coverage-$option")
done
# A program without libFuzzer cannot be linked so: these are the packages that have it.
packages=()
for manifest in $(grep -l '^bolero.workspace' chapters/*/Cargo.toml tests/Cargo.toml); do
  packages+=(--package "$(sed -n 's/^name = "\(.*\)"/\1/p' "$manifest" | head -n 1)")
done
# With --target the flags are not for build scripts and macros, which do not link libFuzzer.
host=$(rustc -vV | sed -n 's/^host: //p')
mkdir -p target/fuzz
RUSTFLAGS=${flags[*]} cargo test --quiet "${packages[@]}" --lib --no-run \
  --target "$host" --target-dir target/fuzz --profile fuzz --message-format json |
  sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' >target/fuzz/programs

failed=0
while read -r program; do
  while read -r name; do
    corpus=$PWD/target/fuzz/corpus/${name##*::} failures=$PWD/target/fuzz/failures/
    mkdir -p "$corpus" "$failures"
    log=$failures${name##*::}.log
    options=("$corpus" "-artifact_prefix=$failures${name##*::}-" "-max_total_time=$seconds"
      -print_final_stats=1 -timeout=10 -rss_limit_mb=1024 -max_len=4096)
    if BOLERO_LIBFUZZER_ARGS=${options[*]} \
      "$program" "$name" --exact --nocapture --test-threads 1 >"$log" 2>&1 </dev/null; then
      runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
      printf '%-50s %12s inputs in %s s\n' "$name" "$runs" "$seconds"
    else
      printf '%-50s FAILED: %s\n' "$name" "$log"
      failed=1
    fi
  done < <("$program" --list 2>/dev/null | sed -n 's/: test$//p' | grep "fuzz_" | grep -- "$word")
done <target/fuzz/programs
exit $failed
