# The few commands that a person types. `make` alone lists them.

.PHONY: help build test test-kernels doctor rootfs start check hint progress reset solution watch book serve transcripts test-book
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

build: ## build every stage
	cargo build --workspace

test: ## build what the tests need, and run all of them
	cargo build --workspace
	cargo test --workspace

test-kernels: ## run the tests on other kernels, in virtual machines (GUEST=6.1-v1, or KERNEL=vmlinuz)
	cargo run --quiet --package kernels -- $(if $(KERNEL),--kernel "$(KERNEL)") $(if $(MODULES),--modules "$(MODULES)") $(GUEST)

doctor: ## which chapters run on this machine, and if not, why
	cargo run --quiet --bin doctor

rootfs: ## build a small root file system in ./rootfs, without a network
	cargo run --quiet --bin rootfs -- rootfs

# The workshop: CH=03 names the chapter, EX=2 an exercise of it, FORCE=1 allows what needs --force.
# "Not yet" (1) is no error of make's.
workshop = @cargo run --quiet --bin workshop -- $(1) || [ $$? = 1 ]

start: ## workshop: make workshop/CHAPTER, with a piece taken out for you to write (CH=03)
	$(call workshop,start $(CH) $(if $(EX),--exercise $(EX)) $(if $(FORCE),--force))

check: ## workshop: build what you wrote and let the kernel mark it
	$(call workshop,check $(CH))

hint: ## workshop: the next of three hints
	$(call workshop,hint $(CH))

progress: ## workshop: where you stand
	$(call workshop,progress)

reset: ## workshop: hand the exercise out again
	$(call workshop,reset $(CH) $(if $(FORCE),--force))

solution: ## workshop: the difference between yours and an answer that passes
	$(call workshop,solution $(CH))

watch: ## workshop: check again at every save
	$(call workshop,watch $(CH))

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
