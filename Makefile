# Builds, tests and installs vocabench. `make help` lists the targets.
#
# Out of tree: everything that is made lies under build/ (BUILD=dir to change it).
# One archive a room: the link order program -> shards -> kernels is the dependency rule of the house.

comma := ,
BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
MPICC   ?= mpicc
SAN     ?=
V       ?= 0
DEB_MAINTAINER ?= the vocabench authors <vocabench@localhost>

VERSION := 0.1.0
DATE    := November 23, 2026
GIT     := $(shell git rev-parse --short=12 HEAD 2>/dev/null && { git diff --quiet HEAD 2>/dev/null || echo +; } || echo unknown)
GIT     := $(subst $() +,+,$(GIT))

# ---- what a Debian 12 machine needs -----------------------------------------------------------------------------
PACKAGES := build-essential pkg-config git ca-certificates \
  libopenmpi-dev openmpi-bin libscalapack-openmpi-dev libopenblas-dev \
  libyaml-dev libzstd-dev libjansson-dev libjpeg62-turbo-dev libpng-dev libwebp-dev \
  libpcre2-dev libutf8proc-dev libxxhash-dev zlib1g-dev wordnet-base gnuplot-nox
# The demo's pictures: the font, Unicode's list of its names, and what reads the font.
DEMO_PACKAGES := fonts-noto-color-emoji unicode-data libfreetype-dev
SLURM_PACKAGES := munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins jq
TEST_PACKAGES := libcmocka-dev zstd jq shellcheck cppcheck valgrind python3-numpy python3-scipy python3-pil python3-yaml \
  mandoc groff man-db bsdextrautils zsh bash-completion chromium poppler-utils dpkg-dev
PEER_PACKAGES := python3-faiss python3-venv
FUZZ_PACKAGES := clang libclang-rt-14-dev
LIBRARIES := yaml-0.1 libzstd jansson libjpeg libpng libwebp libwebpdemux libpcre2-8 libutf8proc libxxhash zlib scalapack-openmpi

# ---- flags ------------------------------------------------------------------------------------------------------
PKG      = $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
PKG_LIBS = $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null)
WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wwrite-strings -Wformat=2 -Wno-format-truncation
# -ffp-contract=off: the compiler may not fuse a*b+c on its own; where a fused product is meant, fmaf says so.
# That is what keeps a scalar kernel and its vector sisters equal to the last bit.
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE $(CFLAGS) -fopenmp -ffp-contract=off -fno-math-errno -fno-trapping-math $(WARN) -I. $(PKG) $(SAN_FLAGS)
LDLIBS   = $(PKG_LIBS) -lm
ifneq ($(SAN),)
SAN_FLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
BUILD := build-$(subst $(comma),-,$(firstword $(subst $(comma), ,$(SAN))))
endif
Q := $(if $(filter 0,$(V)),@,)

%_avx2.o:   ISA_FLAGS := -mavx2 -mfma -mf16c
%_avx512.o: ISA_FLAGS := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c
%_vnni.o:   ISA_FLAGS := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma -mf16c
ifneq ($(shell uname -m),x86_64)
%.o: ISA_FLAGS :=
endif

# ---- sources ----------------------------------------------------------------------------------------------------
KERNELS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard kernels/*/*.c))
SHARDS  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard shards/*/*.c))
PROGRAM := $(patsubst %.c,$(BUILD)/%.o,$(wildcard mpi/*.c mpi/*/*.c))
UNIT    := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/test_*.c))
TOOLS   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c))
BENCH   := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
ARCHIVES := $(BUILD)/libshards.a $(BUILD)/libkernels.a

.PHONY: all deps test-deps demo test test-slurm unit tools lint bench bench-retrieval sanitize fuzz install deb uninstall clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/vocabench $(BUILD)/vocabench.1  ## build build/vocabench

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(MPICC) $(ALL_CFLAGS) $(ISA_FLAGS) -MMD -MP -c -o $@ $<

# The version and revision reach one file only, which is rebuilt when they change.
$(BUILD)/version.stamp: FORCE
	@mkdir -p $(@D); echo '$(VERSION) $(DATE) $(GIT) $(PREFIX)' | cmp -s - $@ || echo '$(VERSION) $(DATE) $(GIT) $(PREFIX)' > $@
FORCE: # phony: .SECONDARY would take a file that is not there for an intermediate one, and never look at the stamp
$(BUILD)/mpi/base/provenance.o: $(BUILD)/version.stamp
$(BUILD)/mpi/base/provenance.o: ALL_CFLAGS += -DVB_VERSION='"$(VERSION)"' -DVB_DATE='"$(DATE)"' -DVB_GIT='"$(GIT)"' -DVB_PREFIX='"$(PREFIX)"'

$(BUILD)/libkernels.a: $(KERNELS)
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/libshards.a: $(SHARDS)
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/vocabench: $(PROGRAM) $(ARCHIVES)
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $(PROGRAM) $(ARCHIVES) $(LDLIBS)
# The man page and the shells' completions, from the program's own tables.
$(BUILD)/vocabench.1: $(BUILD)/vocabench
	$(Q)$< help --format man >$@
	$(Q)$< help --format bash >$(BUILD)/completion.bash
	$(Q)$< help --format zsh >$(BUILD)/completion.zsh
# A unit test may use the program's objects too, all but the one with main().
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(ARCHIVES) $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM))
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM)) $(ARCHIVES) $(LDLIBS) -lcmocka
$(BUILD)/tests/tools/%: tests/tools/%.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARN) -o $@ $< $(shell pkg-config --cflags --libs libpng libjpeg) -lm
$(BUILD)/tests/demo/%: tests/demo/%.c
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) -std=c11 -D_GNU_SOURCE -O2 -g $(WARN) -o $@ $< $(shell pkg-config --cflags --libs freetype2 libpng)
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(ARCHIVES)
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(ARCHIVES) $(LDLIBS)

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

# ---- what people type -------------------------------------------------------------------------------------------
deps:  ## install what a Debian 12 machine lacks for building and running
	@tests/tools/install-packages.sh $(PACKAGES)
test-deps: deps
	@tests/tools/install-packages.sh $(DEMO_PACKAGES) $(TEST_PACKAGES)

demo: deps  ## install what is missing, build, show the whole job on emoji that Debian ships
	@tests/tools/install-packages.sh $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory all $(BUILD)/tests/demo/emoji
	@tests/tools/demo.sh $(BUILD)/vocabench

test: test-deps  ## install what is missing, build, run every test
	@$(MAKE) --no-print-directory all unit tools
	@tests/run.sh $(BUILD)

test-slurm: deps  ## install Slurm, start a private cluster of two pretend nodes (as root), run jobs on it
	@tests/slurm/install.sh $(SLURM_PACKAGES)
	@$(MAKE) --no-print-directory all tools
	@tests/run.sh $(BUILD) slurm

unit: $(UNIT)

# Programs that shell tests use; they share no code with what they check.
tools: $(TOOLS) $(BUILD)/tests/demo/emoji

lint: test-deps  ## the dependency rule of the rooms, house style, shellcheck, cppcheck
	@tests/tools/lint.sh

bench: all $(BENCH)  ## timings, as ratios of medians taken side by side
	@tests/tools/bench.sh $(BUILD)

RACE_ROWS ?= 1000000 4000000
bench-retrieval: $(BUILD)/tests/bench/bench_retrieval $(BUILD)/vocabench  ## exact retrieval, alone and against FAISS (up to 20 GiB of memory, 20 minutes)
	@OMP_WAIT_POLICY=passive $<
	@tests/tools/install-packages.sh $(PEER_PACKAGES) || echo "Debian's FAISS: skipped"
	@tests/bench/race.sh $< $(BUILD) $(RACE_ROWS)
	@python3 tests/bench/scan_law.py $< $(BUILD)/vocabench $(BUILD)/race 1000000

sanitize:  ## the unit tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory SAN=address,undefined unit
	@tests/run.sh build-address unit

# The readers of weights alone, and the two rooms' files that they need.
FUZZ_SOURCES := $(wildcard kernels/base/*.c) shards/files/zip.c \
  $(addprefix shards/weights/,pickle.c pickle_text.c safetensors.c torch.c weight_names.c)
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
FUZZ_FLAGS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -O1 -g -std=c11 -D_GNU_SOURCE -I.
fuzz:  ## libFuzzer over pickle, zip and safetensors, FUZZ_SECONDS each (clang, libclang-rt-14-dev)
	@tests/tools/install-packages.sh $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory $(FUZZERS:%=build-fuzz/fuzz_%)
	@for f in $(FUZZERS); do mkdir -p build-fuzz/corpus/$$f && echo "  FUZZ $$f" && \
	  build-fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2560 -max_len=65536 -print_final_stats=1 \
	    -artifact_prefix=build-fuzz/$$f- build-fuzz/corpus/$$f tests/fuzz/corpus/$$f 2>build-fuzz/$$f.log || { tail -n 40 build-fuzz/$$f.log; exit 1; }; \
	  grep -E 'number_of_executed_units|peak_rss' build-fuzz/$$f.log; done
build-fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(FUZZ_SOURCES) $(wildcard kernels/*/*.h shards/*/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)clang $(FUZZ_FLAGS) $(shell pkg-config --cflags jansson zlib) -o $@ $< $(FUZZ_SOURCES) $(shell pkg-config --libs jansson zlib) -lm

PLACE = $(DESTDIR)$(PREFIX)
install: all  ## put binary, man page, completion, configs, docs and slurm templates under PREFIX
	install -d "$(PLACE)/bin" "$(PLACE)/share/vocabench" "$(PLACE)/share/doc/vocabench" "$(PLACE)/share/man/man1" \
	  "$(PLACE)/share/bash-completion/completions" "$(PLACE)/share/zsh/site-functions"
	install -m 755 $(BUILD)/vocabench "$(PLACE)/bin/"
	install -m 644 $(BUILD)/vocabench.1 "$(PLACE)/share/man/man1/"
	install -m 644 $(BUILD)/completion.bash "$(PLACE)/share/bash-completion/completions/vocabench"
	install -m 644 $(BUILD)/completion.zsh "$(PLACE)/share/zsh/site-functions/_vocabench"
	cp -R configs $(wildcard slurm) "$(PLACE)/share/vocabench/"
	cp -R README.md LICENSE CITATION.cff CHANGELOG.md docs "$(PLACE)/share/doc/vocabench/"
	chmod -R u+rwX,go+rX "$(PLACE)/share/vocabench" "$(PLACE)/share/doc/vocabench"

deb: all  ## build build/vocabench_VERSION_ARCHITECTURE.deb from what lies here
	@tests/tools/install-packages.sh dpkg-dev
	@tests/tools/package.sh $(BUILD) $(VERSION) "$(DEB_MAINTAINER)"

uninstall:  ## remove what install put there
	rm -f "$(PLACE)/bin/vocabench" "$(PLACE)/share/man/man1/vocabench.1" \
	  "$(PLACE)/share/bash-completion/completions/vocabench" "$(PLACE)/share/zsh/site-functions/_vocabench"
	rm -rf "$(PLACE)/share/vocabench" "$(PLACE)/share/doc/vocabench"

clean:  ## remove everything that was made
	rm -rf build build-*

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*##/\1:/p' $(MAKEFILE_LIST) | awk -F': *' '{printf "  make %-15s %s\n", $$1, $$2}'
	@echo "  variables: BUILD=dir PREFIX=dir DESTDIR=dir V=1 SAN=address,undefined FUZZ_SECONDS=60 RACE_ROWS='1000000'"
