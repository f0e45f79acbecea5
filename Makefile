# make demo    run the access-log example: needs Go and make only
# make test    build everything, run all tests
# make check   what CI runs

GO      ?= go
CLANG   ?= clang
RUSTC   ?= $(firstword $(wildcard /usr/bin/rustc) rustc)
BIN     := bin/wasmill
# Those of these two that make toolchains fetched, else those in PATH, else none.
cached  := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/wasmill-toolchains/bin
ZIG     ?= $(shell PATH="$(cached):$$PATH"; command -v zig)
ASC     ?= $(shell PATH="$(cached):$$PATH"; command -v asc)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

go-plugins   := $(patsubst plugins/%/main.go,plugins/%.wasm,$(wildcard plugins/*/main.go))
c-plugins    := $(foreach d,$(wildcard plugins/*/*.c),plugins/$(notdir $(patsubst %/,%,$(dir $(d)))).wasm)
rust-plugins := $(sort $(foreach d,$(wildcard plugins/*/*.rs),plugins/$(notdir $(patsubst %/,%,$(dir $(d)))).wasm)) plugins/nexmark.wasm plugins/percentiles.wasm
zig-plugins  := $(sort $(foreach d,$(wildcard plugins/*/*.zig),plugins/$(notdir $(patsubst %/,%,$(dir $(d)))).wasm))
as-plugins   := $(sort $(foreach d,$(wildcard plugins/*/*.ts),plugins/$(notdir $(patsubst %/,%,$(dir $(d)))).wasm))
nexmark-plugins := plugins/nexmark-select.wasm plugins/nexmark-highest.wasm plugins/nexmark-keyed.wasm plugins/nexmark-prices.wasm
example-plugins := plugins/leaderboard.wasm $(nexmark-plugins)

.PHONY: build plugins toolchains release release-check demo test minio test-minio check lint spec nexmark fuzz-smoke clean-tree bench-flow bench-sandbox bench-async bench-state bench-checkpoint bench-live bench-scale bench-nexmark bench-micro soak third-party clean
.DELETE_ON_ERROR:

build: $(BIN)
$(BIN): FORCE
	$(GO) build -o $@ ./cmd/wasmill
FORCE:

# Guests. Go ones need Go alone, C ones clang and lld, Rust ones Debian's rustc. Without
# Zig, or the compiler of AssemblyScript, those in them are left out.
plugins: $(go-plugins) $(c-plugins) $(rust-plugins) $(zig-plugins) $(as-plugins) $(example-plugins)
$(go-plugins): plugins/%.wasm: FORCE
	GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -buildmode=c-shared -o $@ ./plugins/$*
plugins/leaderboard.wasm: FORCE
	GOOS=wasip1 GOARCH=wasm $(GO) build -trimpath -buildmode=c-shared -o $@ ./examples/ordinary-program/udf
.SECONDEXPANSION:
$(c-plugins): plugins/%.wasm: plugins/$$*/$$*.c $(wildcard abi/sdk/c/*.h)
	$(CLANG) --target=wasm32 -O3 -mbulk-memory -nostdlib -Wl,--no-entry -Wl,--stack-first -o $@ $<
rust := $(RUSTC) --edition 2021 --target wasm32-unknown-unknown -C opt-level=3 -C panic=abort -C target-feature=+bulk-memory -C strip=debuginfo --crate-type cdylib
$(filter-out plugins/nexmark.wasm plugins/percentiles.wasm,$(rust-plugins)): plugins/%.wasm: plugins/$$*/$$*.rs $(wildcard plugins/*/*.rs abi/sdk/rust/*.rs)
	$(rust) -o $@ $<
plugins/nexmark.wasm: examples/nexmark-stateless/udf/nexmark.rs $(wildcard abi/sdk/rust/*.rs)
	$(rust) -o $@ $<
plugins/percentiles.wasm: examples/percentiles/udf/percentiles.rs $(wildcard abi/sdk/rust/*.rs)
	$(rust) -o $@ $<
$(filter-out plugins/nexmark-prices.wasm,$(nexmark-plugins)): plugins/nexmark-%.wasm: examples/nexmark/udf/%.rs $(wildcard examples/nexmark/udf/*.rs abi/sdk/rust/*.rs)
	$(rust) -o $@ $<
plugins/nexmark-prices.wasm: examples/nexmark/udf/prices.c $(wildcard abi/sdk/c/*.h)
	$(CLANG) --target=wasm32 -O3 -mbulk-memory -nostdlib -Wl,--no-entry -Wl,--stack-first -o $@ $<
$(zig-plugins): plugins/%.wasm: plugins/$$*/$$*.zig $(wildcard plugins/*/*.zig abi/sdk/zig/*.zig)
	$(if $(ZIG),$(ZIG) build-exe -target wasm32-freestanding -O safe -fstrip -fno-entry -rdynamic -femit-bin=$@ --dep wasmill -Mroot=$< -Mwasmill=abi/sdk/zig/wasmill.zig,@echo "$@ is left out: it needs Zig (make toolchains)")
$(as-plugins): plugins/%.wasm: plugins/$$*/$$*.ts $(wildcard plugins/*/*.ts abi/sdk/assemblyscript/*.ts)
	$(if $(ASC),$(ASC) $< -O3 --runtime incremental --use abort=abi/sdk/assemblyscript/wasmill/abort -o $@,@echo "$@ is left out: it needs asc (make toolchains)")

# Installs what is missing for guests, where that is possible.
toolchains:
	@./.ci/toolchains

# Everything that is published, in dist/: see .ci/release.
release: toolchains plugins
	@GO=$(GO) ./.ci/release
release-check: toolchains plugins
	@GO=$(GO) ./.ci/release-check

demo: $(BIN) plugins/parse-log.wasm
	$(BIN) run examples/access-log/pipeline.yaml
	@echo
	@echo "The results are in examples/access-log/out:" && wc -l examples/access-log/out/*

test: toolchains build plugins
	REQUIRE_GUESTS=1 $(GO) test -race -timeout 15m -skip '$(large)|$(instances)' $$($(GO) list ./... | grep -v -e '$(killed)' -e /examples)
	REQUIRE_GUESTS=1 $(GO) test -timeout 15m -run '$(large)|$(instances)' ./host/wasm ./host/instance ./cmd/wasmill
	REQUIRE_GUESTS=1 $(GO) test -timeout 15m ./$(killed) ./examples/...

# Tests that kill processes, over and over, and those of examples, which run the command:
# without the race detector they start fast.
killed := host/control/durable/crash
instances := ^TestInstance

# Tests that compile modules of megabytes, which takes minutes under the race detector.
large := ^(TestProjectsOfEveryLanguage|TestPluginsConform|TestGuestsOfEveryLanguageAskOverHTTP|TestGuestsInZigAndAssemblyScript.*|TestTheExamplesOfTheSDKs.*|TestARunningGuestMovesToFreshInstances|TestHostileGuestsOfRealCompilers)$$

# The store of checkpoints on a real MinIO, which is built from source the first
# time: some minutes, then it is in the user's cache folder.
minio:
	$(GO) test -tags minio -timeout 30m -run '^TestMinIOStartsAndEnds$$' ./checkpoint/storetest/minio
test-minio:
	$(GO) vet -tags minio ./checkpoint/... ./host/control/durable/... ./cmd/wasmill
	$(GO) test -race -tags minio -timeout 30m -run MinIO ./checkpoint/storetest/minio ./checkpoint/s3
	$(GO) test -tags minio -timeout 30m -run MinIO ./host/control/durable/crash ./cmd/wasmill

check: test test-minio lint spec fuzz-smoke release-check clean-tree

lint:
	@test -z "$$(gofmt -l .)" || { echo "gofmt -w these:"; gofmt -l .; exit 1; }
	$(GO) vet ./...
	GOOS=wasip1 GOARCH=wasm $(GO) vet ./abi/sdk/go ./plugins/...
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 $(GO) vet -trimpath ./cmd/wasmill
	GOBIN=$(CURDIR)/bin $(GO) install $(STATICCHECK)
	bin/staticcheck $$($(GO) list ./... | grep -v -e /abi/sdk/ -e /plugins/)
	GOOS=wasip1 GOARCH=wasm bin/staticcheck -checks inherit,-U1000 ./abi/sdk/... ./plugins/... # U1000 does not know go:wasmexport
	$(GO) mod verify

# WebAssembly's own test suite in full, on both engines; make test runs a part.
spec:
	SPEC=all $(GO) test ./host/wasm/meter -run '^TestTheSpecificationsSuite$$' -count 1

# Nexmark's queries over a million events, alone; make test runs them, too.
nexmark: plugins/nexmark.wasm $(nexmark-plugins)
	REQUIRE_GUESTS=1 $(GO) test ./examples/nexmark -count 1

# Every fuzz target for some thousand inputs (a time limit that passes while it
# minimises makes go test fail).
fuzz-smoke:
	@for pkg in $$(grep -lr --include='*_test.go' '^func Fuzz' abi checkpoint host plugins | xargs -n1 dirname | sort -u); do \
	  for target in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$pkg/*_test.go | cut -c6-); do \
	    echo "fuzz ./$$pkg $$target"; \
	    $(GO) test ./$$pkg -run '^$$' -fuzz "^$$target\$$" -fuzztime $${FUZZTIME:-1500x} > /tmp/wasmill-fuzz.log 2>&1 || { cat /tmp/wasmill-fuzz.log; exit 1; }; \
	  done; \
	done

clean-tree:
	@test -z "$$(git status --porcelain)" || { echo "the build left the tree changed:"; git status --short; exit 1; }

# Throughput and latency of generator → identity → drop; ends with figures.
bench-flow: build plugins/identity.wasm plugins/identity-go.wasm
	@./.ci/bench-flow $(BIN)

# What the sandbox costs and gives; ends with figures.
bench-sandbox: toolchains plugins/identity.wasm
	@FIGURES=1 $(GO) test ./host/wasm ./host -run '^TestFigures$$|^TestNeighbourFigures$$|^TestCompileFigures$$' -p 1 -count 1 -v | grep -v -e '^---' -e '^===' -e '^ok' -e '^PASS'

# Throughput of a guest that waits, as part of the ideal; ends with figures.
bench-async: toolchains
	@FIGURES=1 $(GO) test ./host -run '^TestAsyncFigures$$' -count 1 -v | grep -v -e '^---' -e '^===' -e '^ok' -e '^PASS'

# Keyed counting with what is built in, and by a guest; ends with figures.
bench-state: plugins/count-by.wasm
	@FIGURES=1 $(GO) test ./host/state/window ./host -run '^TestStateFigures$$|^TestGuestStateFigures$$' -p 1 -count 1 -v | grep -v -e '^---' -e '^===' -e '^ok' -e '^PASS'

# The queries of Nexmark, each with its sink replaced by drop, so that the disk does
# not count; ends with figures. EVENTS and RUNS say how much of it.
bench-nexmark: plugins/nexmark.wasm $(nexmark-plugins)
	@FIGURES=1 $(GO) test ./examples/nexmark -run '^TestFigures$$' -count 1 -timeout 60m -v | grep -v -e '^---' -e '^===' -e '^ok' -e '^PASS'

# What checkpoints cost, and how long a restore takes; some minutes, and MinIO. Ends
# with figures.
bench-checkpoint:
	@FIGURES=1 $(GO) test -tags minio ./host/control/durable -run '^TestFigures$$' -count 1 -timeout 60m -v | grep -v -e '^---' -e '^===' -e '^ok' -e '^PASS' -e '^ *---'

# What changes cost a pipeline while it runs; some minutes. Ends with figures.
bench-live: toolchains build plugins/identity.wasm plugins/identity-go.wasm
	@FIGURES=1 $(GO) test ./host -run '^TestLiveFigures$$' -count 1 -timeout 60m -v | grep -v -e '^---' -e '^===' -e '^ok' -e '^PASS' -e '^ *---'

# What a pipeline takes that has nothing to do, how fast one goes on, and how fast
# instances begin; ends with figures.
bench-scale: toolchains build plugins/identity.wasm plugins/identity-go.wasm plugins/parse-log.wasm
	@FIGURES=1 $(GO) test ./host ./cmd/wasmill -run '^TestScaleFigures$$' -p 1 -count 1 -v | grep -v -e '^---' -e '^===' -e '^ok' -e '^PASS' -e '^ *---'

# The long forms of the tests that kill processes, break stores and look for leaks;
# hours. SEED repeats a run.
soak: toolchains build plugins
	SOAK=1 REQUIRE_GUESTS=1 $(GO) test -tags minio -timeout 12h -count 1 ./host/... ./checkpoint/...

# Real modules from npm through the rewriter; needs npm and its registry.
third-party:
	@./.ci/third-party

# The parts: codec, call, edge.
bench-micro: plugins/identity.wasm
	$(GO) test -run '^$$' -bench . -benchmem -count $${COUNT:-10} ./abi ./host/wasm ./host/pipeline

clean:
	rm -rf bin dist .zig-cache plugins/*.wasm examples/*/out/*.*
