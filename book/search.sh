#!/bin/sh
# Makes the search index of the built pages again, without their code and what commands printed:
# mdBook has no setting for that, and its own index is 5 MB, nearly all of it code.
#
# mdBook runs this after it has written the pages, in the folder beside them. The new file has the
# text of each section, and the browser makes the index when a reader first searches.
set -eu

cat >/dev/null # the whole book, as JSON: the pages have it too
cd ../html
index=$(ls -t searchindex-*.js | head -n 1)
options=$(sed -n 's/.*JSON\.parse(.\({"results_options":.*\),"doc_urls":.*/\1}/p' "$index")


# The pages in their order. What goes wrong in the room is the presenter's: a learner who searches
# for a word of an exercise must not find the answer.
pages=$(sed 's/<a /\n&/g' toc.html | sed -n 's/^<a href="\([^"#]*\.html\)".*/\1/p' |
	grep -v '^mistakes\.html$')

sections() {
	# shellcheck disable=SC2086 # the names have no spaces
	awk '
	BEGIN { RS = "<" }
	FNR == 1 { flush(); inside = 0; chapter = "" }
	# A record is a tag, and the text behind it.
	/^main>/ { inside = 1 }
	/^\/main>/ { flush(); inside = 0 }
	!inside { next }
	/^!--/ { comment = 1 }
	comment { if (!sub(/^.*-->/, "")) next; comment = 0; add($0); next }
	skipped { if (index($0, "/" skipped ">") != 1) next; skipped = "" }
	/^(pre|script|style|svg)[ >]/ { skipped = $0; sub(/[ >].*/, "", skipped); next }
	/^h[1-3] / {
		flush()
		id = $0; sub(/^[^>]* id="/, "", id); sub(/".*/, "", id)
		heading = 1
	}
	/^\/h[1-3]>/ { heading = 0; if (chapter == "") chapter = title }
	{ text = $0; sub(/^[^>]*>/, "", text); add(text) }
	function add(text) {
		gsub(/[ \t\n]+/, " ", text)
		if (heading) title = title text; else body = body " " text
	}
	function json(text) {
		gsub(/&quot;/, "\"", text); gsub(/&#39;|&#x27;/, "\047", text)
		gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&amp;/, "\\&", text)
		gsub(/ +/, " ", text); gsub(/^ | $/, "", text)
		gsub(/\\/, "\\\\", text); gsub(/"/, "\\\"", text)
		return "\"" text "\""
	}
	function flush() {
		if (title != "") {
			crumbs = title == chapter || chapter == "" ? title : chapter " » " title
			print "[" json(file "#" id) "," json(title) "," json(body) "," json(crumbs) "],"
		}
		title = body = ""
		file = FILENAME
	}
	END { flush() }
	' $pages
}

{
	cat <<-'END'
		// The text of the sections: where, title, text, chapter. The index is made of it here.
		window.search.index = (sections) => {
			const index = elasticlunr(function () {
				["title", "body", "breadcrumbs"].forEach((field) => this.addField(field));
				this.setRef("id");
			});
			sections.forEach(([, title, body, breadcrumbs], id) => {
				index.addDoc({ id: String(id), title, body, breadcrumbs });
			});
			return { doc_urls: sections.map(([url]) => url), index: index.toJSON() };
		};
	END
	printf 'Object.assign(window.search, %s, window.search.index([\n' "$options"
	sections
	printf ']));\n'
} >"$index.new"
mv "$index.new" "$index"
