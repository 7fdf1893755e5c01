# The few commands that a person types. `make` alone lists them.

.PHONY: help build test doctor rootfs book serve transcripts test-book
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

build: ## build every stage
	cargo build --workspace

test: ## build what the tests need, and run all of them
	cargo build --workspace
	cargo test --workspace

doctor: ## which chapters run on this machine, and if not, why
	cargo run --quiet --bin doctor

rootfs: ## build a small root file system in ./rootfs, without a network
	cargo run --quiet --bin rootfs -- rootfs

# The mdBook in PATH if its version fits, else one in a folder of this project's.
MDBOOK := $(shell mdbook --version 2>/dev/null | grep -q '^mdbook v0\.5\.' && echo mdbook || echo target/tools/bin/mdbook)

target/tools/bin/mdbook:
	cargo install mdbook --version 0.5.4 --locked --root target/tools

book: $(filter target/%,$(MDBOOK)) ## build the book into book/book
	$(MDBOOK) build book

serve: $(filter target/%,$(MDBOOK)) ## read the book in a browser, at localhost:3000
	$(MDBOOK) serve book

transcripts: ## run the book's commands, and rewrite the transcripts that changed
	cargo build --workspace --bins --examples
	SNAPSHOTS=overwrite cargo test --package judge --test transcripts

test-book: book ## open every page of the book in Chromium
	cd book/test && npm ci --no-audit --no-fund
	node book/test/run.mjs
