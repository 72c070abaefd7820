# `make` prints the targets.
.DEFAULT_GOAL := help
export PATH := $(PATH):/usr/sbin
.PHONY: help run test tools generate check lint unit race screenshots golden bench bench-report clean

STATICCHECK := bin/staticcheck
GOTESTSUM := bin/gotestsum
GOVULNCHECK := bin/govulncheck

help: ## Print the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: ## Serve on 127.0.0.1:8080 without a login (set ROOMWATCH_API_KEY and ROOMWATCH_API_SECRET)
	go run . serve --auth none --listen 127.0.0.1:8080

test: tools check lint unit ## Install what the tests need, then run them all

tools: ## Install chromium, redis-server and proxies (apt) and the build-time packages (npm)
	scripts/install-tools

generate: node_modules ## Make the generated files anew: templ, CSS, icons
	go tool templ generate -path views -log-level error
	npm run --silent assets
	npm run --silent css

node_modules: package.json package-lock.json
	npm ci --silent --no-audit --no-fund
	@touch node_modules

check: ## Make the generated files anew and fail if they were not current
	scripts/check-generated

lint: $(STATICCHECK) $(GOVULNCHECK) ## gofmt, go vet (also for macOS), a build for Windows, staticcheck, govulncheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	GOOS=darwin go vet ./...
	GOOS=windows go build -o /dev/null .
	$(STATICCHECK) ./...
	scripts/check-vulnerabilities

$(STATICCHECK): tools/go.mod tools/go.sum
	cd tools && go build -o ../$(STATICCHECK) honnef.co/go/tools/cmd/staticcheck

$(GOTESTSUM): tools/go.mod tools/go.sum
	cd tools && go build -o ../$(GOTESTSUM) gotest.tools/gotestsum

$(GOVULNCHECK): tools/go.mod tools/go.sum
	cd tools && go build -o ../$(GOVULNCHECK) golang.org/x/vuln/cmd/govulncheck

# The root's tests drive the whole program, from browsers and over clusters. Under the race detector they take four
# times the processor: `make race` has them too.
# Nor is the database engine watched, which is C translated to Go: that takes ten times the processor, too, and its
# callers are watched all the same.
RACE := -race -gcflags=modernc.org/sqlite/lib=-race=false
PACKAGES = $$(go list ./... | grep -vx "$$(go list .)")
TESTS := $(GOTESTSUM) --format testname --

unit: $(GOTESTSUM) ## All Go tests in any order, each told as it ends; those of packages with the race detector
	$(TESTS) $(RACE) -shuffle=on -timeout 20m $(PACKAGES)
	$(TESTS) -shuffle=on -timeout 20m .

race: $(GOTESTSUM) ## All Go tests with the race detector, the root's too (20 minutes)
	$(TESTS) $(RACE) -shuffle=on -timeout 45m ./...

golden: ## Write the golden HTML of the components anew
	go test ./views -run TestGolden -count=1 -update

screenshots: ## Draw the pages of a simulated day into docs/screenshots
	go test -tags screenshots -run TestScreenshots -count=1 .

bench: ## Measure Roomwatch against floors and peers (minutes; go run ./bench --quick: two)
	go run ./bench

bench-report: ## Draw how costs grow into docs (minutes), for docs/performance.md
	go run ./bench --report docs

clean: ## Remove what was built
	rm -rf bin node_modules roomwatch
