#!/bin/sh
# Puts the machine of target/machine/site, if it was built (`make machine`), beside the built pages,
# and its script into each of them. mdBook runs this after it has written the pages, in a folder
# beside them. Without the machine, the pages stay as they are.
set -eu

cat >/dev/null # the whole book, as JSON: the pages have it too
cd ../html
site=../../../target/machine/site
[ -e "$site" ] || exit 0

# A name for each version: what a browser keeps is never an old half of a new whole.
version=$(cat "$site"/* | cksum | cut -d ' ' -f 1)
cp -r "$site" "machine-$version"
for page in *.html; do
	case $page in print.html | toc.html | 404.html) continue ;; esac
	sed -i "s#</body>#<script type=\"module\" src=\"machine-$version/run.js\"></script>\n&#" "$page"
done
