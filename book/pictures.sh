#!/bin/sh
# Makes what is drawn once and kept: the poster as PDF, the picture that links to the book show, and
# the icon for browsers that want pixels. Each is made of the SVG beside it, with Chromium and the
# fonts of the built book. CHROMIUM names the program, if it is not `chromium`.
set -eu

cd "$(dirname "$0")"
fonts=$PWD/book/html/fonts
[ -d "$fonts" ] || { echo 'The fonts are in the built book: make book' >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# page SVG WIDTH HEIGHT [SIZE]: a page that is only this picture
page() {
	cat <<-END
		<!DOCTYPE html><meta charset="utf-8"><style>
		@page { size: ${4-$2 $3}; margin: 0 } html, body { margin: 0; background: transparent }
		svg { display: block; width: $2; height: $3 }
	END
	for weight in regular 600 700 800; do
		printf '@font-face { font-family: "Open Sans"; font-weight: %s; src: url("file://%s") }\n' \
			"$(echo "$weight" | sed s/regular/400/)" "$fonts"/open-sans-*-"$weight"-*.woff2
	done
	printf '@font-face { font-family: "Source Code Pro"; src: url("file://%s") }\n' \
		"$fonts"/source-code-pro-*.woff2
	echo '</style>'
	cat "$1"
}

# Chromium reports on its own state even if all is well: shown only if it fails.
browse() {
	"${CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars \
		--user-data-dir="$folder/profile" --allow-file-access-from-files "$@" \
		2>"$folder/errors" || { cat "$folder/errors" >&2; exit 1; }
}

page src/drawings/poster.svg 210mm 297mm A4 >"$folder/poster.html"
browse --no-pdf-header-footer --print-to-pdf=src/drawings/poster.pdf "file://$folder/poster.html"

page src/drawings/social.svg 1200px 630px >"$folder/social.html"
browse --window-size=1200,630 --screenshot="$PWD/src/drawings/social.png" "file://$folder/social.html"

page theme/favicon.svg 64px 64px >"$folder/favicon.html"
browse --window-size=64,64 --default-background-color=00000000 \
	--screenshot="$PWD/theme/favicon.png" "file://$folder/favicon.html"

ls -l src/drawings/poster.pdf src/drawings/social.png theme/favicon.png
