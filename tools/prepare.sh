# What the commands beside this file share: find the compiler and what it cannot work without, then start the `tools`
# crate. Sourced with the command's own $0. Everything else (emulators, library sources) the crate fetches itself.

# The nightly whose sizes the budgets were measured with (1.97.0-nightly of 2026-05-19), and rustup's name for it.
compiler_commit=e50aa6fba4e63ab34c72bf9acfd2c307c1155d1a
compiler_name=nightly-2026-05-20

root=$(cd "$(dirname "$0")/.." && pwd) || exit 1

stop() {
    echo "$1" >&2
    exit 1
}

# install PACKAGE…: as root or through sudo, quietly; the package lists may be missing or old.
install() {
    names=$*
    command -v apt-get >/dev/null || stop "missing: $names; install them, then try again"
    if [ "$(id -u)" = 0 ]; then
        sudo=
    elif command -v sudo >/dev/null; then
        sudo=sudo
    else
        stop "missing: $names; as root: apt-get install $names"
    fi
    echo "installing $names" >&2
    set -- env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 install "$@"
    $sudo "$@" >/dev/null 2>&1 && return
    $sudo apt-get -qq update >/dev/null 2>&1
    $sudo "$@" >/dev/null 2>&1 || stop "could not install; as root: apt-get update && apt-get install $names"
}

commit_of() {
    rustc "+$1" -vV 2>/dev/null | sed -n 's/^commit-hash: //p'
}

packages=
command -v nasm >/dev/null || packages="$packages nasm"
command -v cc >/dev/null || packages="$packages gcc libc6-dev"
# shellcheck disable=SC2086  # a list of names
[ -z "$packages" ] || install $packages

command -v cargo >/dev/null || PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
command -v rustup >/dev/null || stop "rustup is missing; install it, by its own installer or, where there is such a package, as root: apt-get install rustup"
command -v cargo >/dev/null || stop "cargo is missing beside rustup; try: rustup toolchain install $compiler_name"

toolchain=nightly
if [ "$(commit_of nightly)" != "$compiler_commit" ]; then
    if [ -n "$(commit_of $compiler_name)" ]; then
        toolchain=$compiler_name
    else
        echo "installing the Rust toolchain $compiler_name" >&2
        if rustup -q toolchain install "$compiler_name" --profile minimal >/dev/null 2>&1; then
            toolchain=$compiler_name
        elif [ -n "$(commit_of nightly)" ]; then
            echo "$compiler_name cannot be had; the nightly that is here compiles, and sizes may differ" >&2
        else
            stop "no nightly compiler: rustup toolchain install $compiler_name"
        fi
    fi
fi

# tools COMMAND [ARGUMENT…]: in the caller's folder, which file names among the arguments refer to.
tools() {
    exec cargo "+$toolchain" run -q --manifest-path "$root/Cargo.toml" -p tools -- "$@"
}
