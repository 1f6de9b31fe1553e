# Two commands matter: `make run` and `make test`. The rest is for those who work on Vesicle.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export CARGO_TERM_COLOR ?= auto
# Data sets that are not embedded, for tests and `make reproduce`; see docs/guide.md.
export VESICLE_DATA ?= $(abspath $(wildcard ../shared/data))

VENV := target/contract-venv
# The integration tests of the crates; tests/tidy.rs holds that none is missing.
UNIT := data laws main memory mnist networks
# The tests of promises that play fewer cases in `make test` than the promise names, and all of them here.
PROMISES := backlog backups bad_input cancels clocks contract deaths links memory poison powercut rot stalled stops streams submissions
# Prints the seconds a part of the tests took.
timed = @start=$$(date +%s); $(2); echo "make test: $(1) took $$(( $$(date +%s) - start )) s"

.PHONY: help run test lint build unit e2e contract clients gangs gangs-tests reproduce figures bench bench-smoke bench-scaling openapi golden clean chaos reliability load

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: ## build, start server, workers and page, run the demo on real digits
	cargo build --locked --bin vesicle
	target/debug/vesicle demo

test: ## everything that CI runs
	$(call timed,format and lints,$(MAKE) --no-print-directory lint)
	$(call timed,build,$(MAKE) --no-print-directory build)
	$(call timed,unit and laws and conformance,$(MAKE) --no-print-directory unit)
	$(call timed,end to end,$(MAKE) --no-print-directory e2e)
	$(call timed,gangs of processes,$(MAKE) --no-print-directory gangs)

lint: ## format, clippy, documentation
	cargo fmt --all -- --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

build: ## the binary and all tests
	cargo build --locked --workspace --all-targets

# Always the whole workspace, so that every command builds dependencies with the same features and none twice.
unit: ## tests of the crates
	cargo test --locked --workspace --lib --bins $(addprefix --test ,$(UNIT))

e2e: clients ## the binary as users run it: kills, stops, cut streams, the page; DB=postgres
	E2E_DB=$(or $(DB),sqlite) cargo test --locked --workspace --test e2e -- --test-threads=1

# Goes on where it was broken off; the journal of a storm is in target/chaos.
chaos: ## a thousand runs under three hundred faults; SEED=1 DB=sqlite (or postgres)
	E2E_LONG=yes E2E_SEED=$(or $(SEED),1) E2E_DB=$(or $(DB),sqlite) cargo test --locked --workspace --test e2e -- \
	  --nocapture --exact faults::storm::runs_survive_faults_of_every_kind

# A quiet machine, please: the bounds of these tests are those of docs/reliability.md.
load: ## hundreds of listeners, reporters and reconnections at once, release build; ONLY=crowd
	E2E_LONG=yes cargo test --release --locked --workspace --test e2e -- --nocapture --test-threads=1 load::$(ONLY)

# Each figure that a test takes is a line that says what it is.
reliability: clients ## each promise in its full number, on SQLite and Postgres; ONLY=deaths DB=sqlite
	@for db in $(or $(DB),sqlite postgres); do echo "on $$db:"; \
	  E2E_LONG=yes E2E_DB=$$db cargo test --locked --workspace --test e2e -- --test-threads=1 --nocapture \
	    $(addsuffix ::,$(or $(ONLY),$(PROMISES))); done

contract: clients ## independent clients: fuzzing by the OpenAPI file, gRPC from Python; DB=postgres
	E2E_DB=$(or $(DB),sqlite) cargo test --locked --workspace --test e2e -- --nocapture contract::

# Without them their test says so, and fails under CI.
clients: ## the clients of the contract tests: an environment of Python
	@if python3 -c 'import venv, ensurepip' 2>/dev/null; then $(MAKE) --no-print-directory $(VENV)/ready; fi

$(VENV)/ready: tests/contract/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

gangs: ## processes that compute one run, through MPI
	@if command -v mpirun >/dev/null && command -v mpicc >/dev/null; then $(MAKE) --no-print-directory gangs-tests; \
	elif [ -n "$${CI:-}" ]; then echo "the tests of gangs need an MPI library with mpirun and mpicc" >&2; exit 1; \
	else echo "skipped: needs an MPI library with mpirun and mpicc, and libclang"; fi

gangs-tests:
	cargo clippy --locked --package gang --package vesicle --features mpi --all-targets -- -D warnings
	cargo test --locked --features mpi --test e2e gang -- --test-threads=1

reproduce: ## claims of the papers, measured; ONLY=rbm,rbse SEEDS=1..3 REPORT=folder
	cargo build --locked --bin vesicle
	target/debug/vesicle reproduce $(if $(ONLY),--only $(ONLY)) $(if $(SEEDS),--seeds $(SEEDS)) \
	  --report $(or $(REPORT),target/findings)

figures: ## writes docs/figures anew, all of them or those of ONLY=rbse
	$(MAKE) --no-print-directory reproduce REPORT=target/findings
	mkdir -p docs/figures
	cp target/findings/figures/*.svg docs/figures/

# Standard output is JSON lines and nothing else: `make bench > figures.jsonl`.
bench: ## speed next to other tools; ONLY=rbm,rbse,growth SKIP=rbms PAIRS=7 AVX512=no
	@cargo build --locked --release --package bench $(if $(filter no,$(AVX512)),--no-default-features)
	$(if $(findstring service,$(ONLY)),@cargo build --locked --release --bin vesicle)
	@target/release/bench $(if $(ONLY),--only $(ONLY)) $(if $(SKIP),--skip $(SKIP)) $(if $(PAIRS),--pairs $(PAIRS))

bench-smoke: ## speed of ours alone, within a minute
	@cargo build --locked --release --package bench $(if $(filter no,$(AVX512)),--no-default-features)
	@target/release/bench --smoke $(if $(ONLY),--only $(ONLY))

bench-scaling: ## one model trained by two threads, then by two processes; ONLY=scaling/784x2000 PAIRS=7
	@cargo build --locked --release --package bench --features mpi
	@for by in "" "mpirun -n 2"; do \
	  $$by target/release/bench --only $(or $(ONLY),scaling) $(if $(PAIRS),--pairs $(PAIRS)); done

openapi: ## writes server/openapi.json anew
	UPDATE_OPENAPI=1 cargo test --locked -p server openapi

golden: ## writes the golden digests anew; raise the VERSION of what changed
	UPDATE_GOLDEN=1 cargo test --locked -p experiments --test laws golden

clean: ## removes what was built
	cargo clean
