# Every command a person may type. README's two commands need no just.

_default:
    @just --list

# run the main job in ./kiban-demo
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# what CI checks, without the tests
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo xtask tidy

# all tests
test:
    cargo test --workspace --locked

# exactly CI
ci:
    .ci/run

# benches print rows/s and peak memory
bench *ARGS:
    cargo run --release --locked --package kiban-benches -- {{ARGS}}
