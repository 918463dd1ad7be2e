# Everything that a developer runs. `make` alone lists it.
CACHE := $(or $(CHATBRIDGE_CACHE),$(HOME)/.cache/chatbridge)
export CHATBRIDGE_CACHE := $(CACHE)
# Build output lives outside the repository, so that a fresh clone builds warm.
export CARGO_TARGET_DIR := $(CACHE)/target
export CHATBRIDGE_BIN := $(CARGO_TARGET_DIR)/debug/chatbridge
PYTHON := $(CACHE)/venv/bin/python
LAB := tests/lab/lab
SERIES ?= 14 19

.PHONY: help
help: ## Lists what there is.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.PHONY: demo
demo: ## Runs the whole product for a person: Odoo, bridge, a chat page. SERIES=14 or 19 (default 19). Ctrl-C ends it.
	@tests/prepare demo
	@cargo build --bin chatbridge
	@python3 tests/demo/demo.py

.PHONY: test
test: ## Runs every test.
	@tests/all

.PHONY: test-rust
test-rust: rust ## Runs the tests of the bridge alone.
	cargo test --quiet

.PHONY: test-addon
test-addon: prepare ## Runs the addon's own tests inside real Odoo (SERIES="14 19").
	tests/all addon

.PHONY: test-e2e
test-e2e: prepare build ## Runs the end-to-end tests (SERIES="14 19", ARGS=pytest's).
	CHATBRIDGE_SERIES="$(SERIES)" $(PYTHON) -m pytest tests/e2e $(ARGS)

.PHONY: lint
lint: rust ## Checks formatting, lints.
	cargo fmt --check
	cargo clippy --all-targets --quiet -- -D warnings

.PHONY: build
build: rust ## Builds the bridge for development.
	cargo build --quiet --bin chatbridge

.PHONY: release
release: rust ## Builds the bridge for use: $(CARGO_TARGET_DIR)/release/chatbridge.
	cargo build --release --bin chatbridge

.PHONY: figures
figures: prepare release ## Prints the release build's size, start time and latency (SERIES=14 or 19).
	CHATBRIDGE_BIN=$(CARGO_TARGET_DIR)/release/chatbridge $(PYTHON) tests/e2e/figures.py

.PHONY: screenshots
screenshots: prepare build ## Takes pictures of every form and the chat page (SERIES="14 19"): $(CACHE)/screenshots, docs/images.
	SERIES="$(SERIES)" $(PYTHON) tests/e2e/screenshots.py

.PHONY: addons
addons: ## Writes the addons for each series to $(CACHE)/addons/SERIES.
	@for series in $(SERIES); do python3 odoo_addon/build.py $$series.0 $(CACHE)/addons/$$series; done

.PHONY: rust
rust:
	@tests/prepare rust

.PHONY: prepare
prepare: ## Installs what the tests need.
	@tests/prepare

.PHONY: clean
clean: ## Drops databases and folders that interrupted tests have left.
	$(LAB) clean
