# The few commands that a person types. `make` alone lists them.

.PHONY: help build test test-kernels doctor rootfs
help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

build: ## build every stage
	cargo build --workspace

test: ## build what the tests need, and run all of them
	cargo build --workspace
	cargo test --workspace

test-kernels: ## run the tests on other kernels, in virtual machines (GUEST=6.1-v1, or KERNEL=vmlinuz)
	cargo run --quiet --bin kernels -- $(if $(KERNEL),--kernel "$(KERNEL)") $(if $(MODULES),--modules "$(MODULES)") $(GUEST)

doctor: ## which chapters run on this machine, and if not, why
	cargo run --quiet --bin doctor

rootfs: ## build a small root file system in ./rootfs, without a network
	cargo run --quiet --bin rootfs -- rootfs
