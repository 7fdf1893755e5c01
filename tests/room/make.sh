#!/usr/bin/env bash
# Makes target/room/container-workshop, a folder with which the whole course works without a
# network, and container-workshop.tar.gz beside it, for sticks: their file systems keep no links.
#
# RUST=1 also puts this machine's Rust into it, for participants who have none.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=container-workshop
place=$PWD/target/room
folder=$place/$name
started=$SECONDS

stop() {
  printf 'make room: %s\n' "$@" >&2
  exit 1
}

# A clone, and not a copy: nothing that was built or written here goes along.
checkout() {
  git rev-parse --verify --quiet HEAD >/dev/null ||
    stop 'this folder is no clone of the repository: run it in one, so that it knows what to take'
  [ -z "$(git status --porcelain)" ] ||
    echo 'Not in the folder: what you changed here and did not commit.'
  rm -rf "$place"
  mkdir -p "$folder"
  git clone --quiet --no-hardlinks . "$folder"
  git -C "$folder" remote remove origin
  mkdir "$folder/room"
}

# Cargo reads this file before the one of the user's home, so a registry that is named there is not
# asked. Offline, cargo reports what is missing, and waits for no network.
crates() {
  mkdir "$folder/.cargo"
  (cd "$folder" && cargo vendor --quiet --locked --versioned-dirs vendor)
  cat >"$folder/.cargo/config.toml" <<-'END'
	[source.crates-io]
	replace-with = "vendored-sources"

	[source.vendored-sources]
	directory = "vendor"

	[net]
	offline = true
	END
}

# A static program runs with any C library, also with an older one than this machine's.
static_mdbook() {
  local version host tools=$PWD/target/tools/static
  version=$(sed -n 's/^version=//p' book/mdbook.sh)
  host=$(uname -m)-unknown-linux-musl
  if [ "$("$tools/bin/mdbook" --version 2>/dev/null)" != "mdbook v$version" ]; then
    ! command -v rustup >/dev/null || rustup --quiet target add "$host" ||
      stop "rustup cannot add $host, for an mdBook that runs on each participant's machine"
    [ -e "$(rustc --print sysroot)/lib/rustlib/$host" ] ||
      stop "this Rust has no $host, for an mdBook that runs on each participant's machine"
    echo 'Compiling mdBook: 1 to 3 minutes, and only once.'
    CARGO_TARGET_DIR=$tools/build CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_STRIP=true \
      cargo install mdbook --quiet --version "$version" --locked --target "$host" --root "$tools" ||
      stop "mdBook $version could not be compiled"
    rm -rf "$tools/build"
  fi
  cp "$tools/bin/mdbook" "$folder/room/mdbook"
}

# With the machine in its pages, if that was built here.
book() {
  if [ -e target/machine/site ]; then
    mkdir -p "$folder/target/machine"
    cp -r target/machine/site "$folder/target/machine/site"
  fi
  (cd "$folder" && book/mdbook.sh build book 2>"$place/mdbook.log") ||
    stop "mdBook cannot build the book: $(tail -n 1 "$place/mdbook.log")"
}

rust() {
  local sysroot host from
  sysroot=$(rustc --print sysroot)
  host=$(rustc -vV | sed -n 's/^host: //p')
  [ -e "$sysroot/lib/rustlib/components" ] ||
    stop "the Rust in $sysroot is not rustup's, and cannot be copied: run it without RUST=1"
  mkdir -p "$folder/room/rust/lib/rustlib" "$folder/room/rust/bin"
  for from in bin/cargo bin/rustc "lib/rustlib/$host"; do
    cp -r "$sysroot/$from" "$folder/room/rust/$from"
  done
  cp -P "$sysroot"/lib/*.so* "$folder/room/rust/lib/"
  env -i "$folder/room/rust/bin/rustc" --version >/dev/null ||
    stop 'the copy of this Rust does not run: run it without RUST=1'
}

about() {
  local needed
  needed=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  cat <<-END
	Everything in this folder works without a network. You need Linux, Rust $needed or newer,
	a C linker, make and git. Begin with:  make doctor  and then  make start CH=01

	commit      $(git rev-parse --short HEAD), $(git log -1 --format=%cs)
	made with   $(rustc --version) on $(uname -m)
	Rust        $needed or newer; room/rust: ${1:-not in this folder}
	crates      vendor: $(find "$folder/vendor" -mindepth 1 -maxdepth 1 | wc -l) packages
	mdBook      room/mdbook: $("$folder/room/mdbook" --version), static, $(uname -m)
	book        book/book/html/index.html, for a browser without \`make serve\`
	base image  rootfs, for --rootfs rootfs
	END
}

checkout
crates
static_mdbook
book
cargo run --quiet --bin rootfs -- --quiet "$folder/rootfs"
with=
if [ -n "${RUST-}" ]; then
  rust
  with="PATH=\$PWD/room/rust/bin:\$PATH"
fi
about "$with" >"$folder/room/about"
tar --owner=root:0 --group=root:0 -czf "$folder.tar.gz" -C "$place" "$name"

printf '\nIn %d s: %s\n\n' $((SECONDS - started)) "$(du -sh "${folder#"$PWD/"}" "${folder#"$PWD/"}.tar.gz" |
  awk '{ printf "%s%s (%s)", sep, $2, $1; sep = ", " }')"
echo 'A participant needs one of them:  tar -xf container-workshop.tar.gz'
echo 'Try it here, as root:             tests/room/try.sh'
