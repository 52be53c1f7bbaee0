# `make demo` and `make test` do all their own set-up; nothing needs to be typed before them.

PYTHON ?= $(shell python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo python3 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
EXTRAS := server,trainer,demo,dev
STUBS := proto/pairstream/v1

# $(call generate,FOLDER): the stubs of the gRPC services, below FOLDER
generate = $(BIN)/python -m grpc_tools.protoc -Iproto --python_out=$(1) --grpc_python_out=$(1) \
	--plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	--mypy_out=quiet:$(1) --mypy_grpc_out=quiet:$(1) $(STUBS)/worker.proto

.PHONY: help demo test test-docker fast slow lint stubs stubs-check bench clean

help:
	@echo "make demo [DATA=folder]  a worker and a trainer on this machine, a report and a page to listen to"
	@echo "make test                everything that is checked: lint, types, stubs, fast and slow tests"
	@echo "make fast                the fast tests only"
	@echo "make test-docker         docker-compose.yml in a real engine"
	@echo "make bench               where the time of a block goes"
	@echo "make stubs               regenerate the gRPC stubs from proto/"

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "pairstream needs Python 3.11 or later; run make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

demo: $(STAMP)
	$(BIN)/python -m examples.demo $(foreach folder,$(DATA),--data $(folder))

test: lint stubs-check fast slow

fast: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m 'not slow and not gpu and not docker'

test-docker: $(STAMP)
	$(BIN)/python -m pytest -q -m docker

slow: $(STAMP)
	$(BIN)/python -m pytest -q -m 'slow and not gpu and not docker'

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

stubs: $(STAMP)
	@$(call generate,proto)

stubs-check: $(STAMP)
	@rm -rf build/stubs && mkdir -p build/stubs
	@$(call generate,build/stubs)
	@for file in build/stubs/pairstream/v1/*; do cmp $$file $(STUBS)/$$(basename $$file) || \
		{ echo "the stubs are not those of worker.proto; run make stubs" >&2; exit 1; }; done

bench: $(STAMP)
	$(BIN)/synth-server bench

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache runs/demo
