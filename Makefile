# The two commands: `make demo` and `make test`. Everything they need beyond Swift and
# Python's pip they fetch or build themselves.
export PKG_CONFIG_PATH := $(CURDIR)/.torch:$(PKG_CONFIG_PATH)
# The engine is found at run time through the run path, so that no variable has to be set.
FLAGS := -Xlinker -rpath -Xlinker $(CURDIR)/.torch/lib
PROGRAM := .build/release/limbeck
# The test targets that need no engine: A|B|…
PURE := $(shell sed -n '/^let pure/,/^]/p' Package.swift | grep -o '"[A-Za-z]*Tests"' | tr -d '"' | paste -sd '|')
SECONDS ?= 60

.PHONY: all build demo test reliability bench fuzz format lint libraries engine clean
all: build

libraries:
	@scripts/libraries

engine: libraries
	@scripts/engine

build: engine
	swift build -c release $(FLAGS) --product limbeck

demo: build
	$(PROGRAM) demo

# What needs no engine is tested first, before the engine is fetched and built, and not again with it.
test: libraries lint
	LIMBECK_ENGINE=none swift test $(FLAGS)
	@scripts/engine
	swift test $(FLAGS) --skip '^($(PURE))\.'

reliability: engine
	LIMBECK_KILLS=20 swift test $(FLAGS) --filter Kill

bench: engine
	Benchmarks/run $(OPTIONS)

fuzz: engine
	Fuzz/run $(SECONDS)

format:
	swift format -i -r Package.swift Sources Tests Benchmarks/Sources

lint:
	swift format lint --strict -r Package.swift Sources Tests Benchmarks/Sources

clean:
	rm -rf .build
