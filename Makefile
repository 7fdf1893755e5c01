# The few commands that a person types. `make` alone lists them.

.PHONY: help test test-kernels test-book vm doctor rootfs build transcripts bench faults room
.PHONY: start check hint progress reset solution watch book serve pictures machine
help:
	@echo 'Where to begin:'
	@echo '  cargo run --bin 09-aufs      a shell in a container; exit leaves it'
	@echo '  make serve                   then the book: chapter 1 comes first'
	@sed -n -e 's/^## \(.*\)/\n\1/p' -e 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) \
		| expand -t 21

# A program is compiled aloud, and only when a source is newer than its stamp: with --quiet, cargo
# is silent for two minutes in a fresh clone, and without it, it talks each time.
sources := Cargo.lock $(wildcard Cargo.toml chapters/*/Cargo.toml doctor/Cargo.toml tests/Cargo.toml) \
	$(shell find chapters/*/src doctor/src tests/src -type f)
target/made/%: $(sources)
	@tests/room/rust.sh
	@[ -e $@ ] || echo 'Compiling first: up to three minutes in a fresh clone, and only once.'
	cargo build --bin $*
	@mkdir -p $(@D) && touch $@

# "Not yet" (1), a refusal (2), a reader who has seen enough (141) and Ctrl-C (130) are a program's
# answers, and no errors of make's, which would add a line to them. For a program's own exit
# status, run it with cargo.
run = @trap : INT; cargo run --quiet --bin $(1) || case $$? in 1|2|130|141) ;; *) exit $$? ;; esac

## Try
doctor: target/made/doctor ## which chapters run on this machine, and if not, why
	$(call run,doctor)

rootfs: target/made/rootfs ## a small root file system in ./rootfs, without a network
	@[ ! -e rootfs/etc/os-release ] || echo './rootfs is there already.'
	$(call run,rootfs -- rootfs)
	@echo 'Try: cargo run --bin 06-reexec -- --rootfs rootfs      (exit leaves it)'

# GUEST and KERNEL as for test-kernels; ARGS=--emulate does without KVM.
vm: ## a shell on another kernel, in a virtual machine, with the checkout in it
	@cargo run --quiet --package kernels -- --shell $(if $(KERNEL),--kernel "$(KERNEL)") \
		$(if $(MODULES),--modules "$(MODULES)") $(GUEST) $(ARGS)

## Read
serve: ## read the book in a browser, at localhost:3000 (or PORT=3001)
	@trap : INT; book/mdbook.sh serve book $(if $(PORT),--port $(PORT)) \
		$(if $(DISPLAY)$(WAYLAND_DISPLAY),--open) || [ $$? = 130 ]

book: ## build the book into book/book/html
	@book/mdbook.sh build book

machine: ## build the Linux that runs in the pages of the book
	cargo run --quiet --package machine

# The workshop: CH=03 names a chapter, EX=2 an exercise of it, FORCE=1 allows what needs --force.
# Only `start` chooses: the others are about the exercise that you started.
$(if $(EX),$(foreach goal,$(filter check hint solution reset watch,$(MAKECMDGOALS)),$(error \
	make $(goal) takes no EX: it is about the exercise that you started. \
	To start exercise $(EX): make start CH=$(or $(CH),NN) EX=$(EX))))

## Write it yourself
start: target/made/workshop ## the next exercise, or the next one of a chapter (CH=03)
	$(call run,workshop -- start $(CH) $(if $(EX),--exercise $(EX)) $(if $(FORCE),--force))

check: target/made/workshop ## build what you wrote and let the kernel mark it
	$(call run,workshop -- check $(CH))

hint: target/made/workshop ## the next of three hints
	$(call run,workshop -- hint $(CH))

progress: target/made/workshop ## where you stand
	$(call run,workshop -- progress)

reset: target/made/workshop ## hand the exercise out again
	$(call run,workshop -- reset $(CH) $(if $(FORCE),--force))

solution: target/made/workshop ## the difference between yours and a right answer
	$(call run,workshop -- solution $(CH))

watch: target/made/workshop ## check again at every save
	$(call run,workshop -- watch $(CH))

## For a workshop
# RUST=1 puts this machine's Rust into the folder too.
room: target/made/rootfs ## a folder in which all of this works without a network
	@tests/room/make.sh

## Test
# ARGS are words for cargo test, such as ARGS='--test acceptance -- 06-reexec'.
test: ## run all tests, and sum them up (STAGES=all, ARGS=...)
	@echo 'Compiles all, then runs the checks of the chapters, the commands of the book and the'
	@echo 'workshop: 5 to 10 minutes. The last lines name what failed and what was skipped.'
	cargo build --workspace --bins --examples
	@trap : INT; $(if $(STAGES),JUDGE_STAGES=$(STAGES)) \
		cargo run --quiet --package judge --bin summary -- $(ARGS) || [ $$? = 130 ] || exit 1

test-book: book ## open every page of the book in Chromium
	cd book/test && npm ci --no-audit --no-fund
	node book/test/run.mjs

# GUEST=6.1-v1 runs one machine, KERNEL=path/to/vmlinuz another kernel (MODULES=its/modules).
test-kernels: ## run the tests on other kernels, in virtual machines
	cargo run --quiet --package kernels -- $(if $(KERNEL),--kernel "$(KERNEL)") \
		$(if $(MODULES),--modules "$(MODULES)") $(GUEST)

# GROWTH=1 measures how the cost grows, instead; ARGS are options of the program, such as --quick.
bench: ## measure what a start costs, and write it into the book
	cargo run --quiet --package bench -- $(if $(GROWTH),--growth) $(ARGS)

# ARGS are options of the program: --every 7 tries one fault of seven, --only 'CASE' one that was found.
faults: ## kill each process, and make each system call fail, and write a table into the book
	cargo build --quiet --workspace --bins
	cargo run --quiet --package faults -- $(ARGS)

## Change it
build: ## build every stage
	cargo build --workspace

pictures: book ## draw the poster's PDF, the icon and the card again, with Chromium
	@book/pictures.sh

transcripts: ## run the commands of the book, and rewrite what changed
	cargo build --workspace --bins --examples
	SNAPSHOTS=overwrite cargo test --package judge --test transcripts
