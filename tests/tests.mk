# Tests, lint, benches and fuzzing: what is built and run beside the program. Included by the Makefile.

.PHONY: test-deps test test-slurm test-faults test-mutations unit tools lint bench bench-retrieval bench-pipeline bench-peers sanitize valgrind emulate coverage fuzz differ analyze

SLURM_PACKAGES := munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins jq
TEST_PACKAGES := libcmocka-dev ocl-icd-libopencl1 pocl-opencl-icd zstd jq shellcheck cppcheck clang-format codespell valgrind python3-numpy python3-scipy python3-pil python3-yaml \
  mandoc groff man-db bsdextrautils zsh bash-completion chromium poppler-utils dpkg-dev qemu-user texlive-latex-base texlive-latex-recommended
PEER_PACKAGES := python3-faiss python3-venv
FUZZ_PACKAGES := clang libclang-rt-14-dev

UNIT  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*/test_*.c))
TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c))
BENCH := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))

# ---- how they are built -----------------------------------------------------------------------------------------
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
# The pipeline is the program's.
$(BUILD)/tests/bench/bench_pipeline: $(BUILD)/tests/bench/bench_pipeline.o $(ARCHIVES) $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM))
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM)) $(ARCHIVES) $(LDLIBS)
# This one opens models as the program does.
$(BUILD)/tests/bench/peers_ours: $(BUILD)/tests/bench/peers_ours.o $(BUILD)/tests/bench/operations.o $(ARCHIVES) $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM))
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(BUILD)/tests/bench/operations.o $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM)) $(ARCHIVES) $(LDLIBS)
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(ARCHIVES)
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(ARCHIVES) $(LDLIBS)

# ---- what people type -------------------------------------------------------------------------------------------
test-deps: deps
	@tests/tools/install-packages.sh $(DEMO_PACKAGES) $(TEST_PACKAGES)

test: test-deps  ## install what is missing, build, run every test (some twelve minutes on two cores)
	@$(MAKE) --no-print-directory all unit tools
	@tests/run.sh $(BUILD)

test-slurm: deps  ## install Slurm, start a private cluster of two pretend nodes (as root), run jobs on it
	@tests/slurm/install.sh $(SLURM_PACKAGES)
	@$(MAKE) --no-print-directory all tools
	@tests/run.sh $(BUILD) slurm

FAULT_RUNS ?= 2000
FAULT_SEED ?= 1
test-faults: test-deps  ## FAULT_RUNS small runs with one mishap each, and after each a clean one (an hour or two); TESTING.md
	@$(MAKE) --no-print-directory all tools
	@VOCABENCH_BUILD=$(abspath $(BUILD)) tests/campaigns/faults.py --runs $(FAULT_RUNS) --seed $(FAULT_SEED)

test-mutations: test-deps  ## planted defects, one at a time: the tests must notice each (some 20 minutes)
	@tests/campaigns/mutations.py

unit: $(UNIT)

# Programs that shell tests use; they share no code with what they check.
tools: $(TOOLS) $(BUILD)/tests/demo/emoji

lint:  ## wings, circles, names, sizes, one look, spelling, shellcheck, cppcheck; installs nothing (make test-deps does)
	@tests/tools/lint.sh

bench: all $(BENCH)  ## timings, as ratios of medians taken side by side
	@tests/tools/bench.sh $(BUILD)

RACE_ROWS ?= 1000000 4000000
bench-retrieval: $(BUILD)/tests/bench/bench_retrieval $(BUILD)/vocabench  ## exact retrieval, alone and against FAISS (up to 20 GiB of memory, 20 minutes)
	@OMP_WAIT_POLICY=passive $<
	@tests/tools/install-packages.sh $(PEER_PACKAGES) || echo "Debian's FAISS: skipped"
	@tests/bench/race.sh $< $(BUILD) $(RACE_ROWS)
	@python3 tests/bench/scan_law.py $< $(BUILD)/vocabench $(BUILD)/race 1000000

bench-pipeline: $(BUILD)/tests/bench/bench_pipeline  ## decoding beside encoding: from JPEG files against encoding alone, and a fast engine kept fed
	@OMP_WAIT_POLICY=passive $<

bench-peers: $(BUILD)/tests/bench/peers_ours $(BUILD)/tests/bench/bench_retrieval  ## encoders and retrieval against onnxruntime, OpenVINO, PyTorch and FAISS (gigabytes under build/); docs/measurements.md
	@tests/bench/peers.sh $^ $(BUILD)

sanitize:  ## the unit tests under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory SAN=address,undefined unit
	@tests/run.sh build-address unit

# cmocka's tests; those that allow each allocation to fail in turn would take an hour.
VALGRIND ?= valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect
valgrind:  ## the unit tests that take less than a second, under valgrind's memcheck (ten minutes)
	@$(MAKE) --no-print-directory unit tools
	@tests/tools/valgrind.sh $(BUILD) $(VALGRIND)

emulate:  ## the tests of kernels on a processor with AVX2 alone, by qemu-user (an hour)
	@tests/tools/install-packages.sh qemu-user
	@$(MAKE) --no-print-directory unit
	@tests/tools/emulate.sh $(BUILD) max

coverage:  ## lines and branches that the tests reach, by gcovr (under build-coverage/, half an hour)
	@tests/tools/install-packages.sh gcovr
	@$(MAKE) --no-print-directory BUILD=build-coverage CFLAGS='-O1 -g' SAN_FLAGS='--coverage -fprofile-update=atomic' all unit tools
	@find build-coverage -name '*.gcda' -delete
	@tests/run.sh build-coverage || echo "some tests fail in this build"
	@for room in kernels shards mpi; do echo "$$room:"; gcovr -r . --object-directory build-coverage --filter "$$room/" --exclude-throw-branches \
	  --gcov-ignore-parse-errors -s -o build-coverage/$$room.txt | grep -E '^(lines|branches)'; done

# The wings whose readers are fuzzed; what they need of others comes as it is, from the archives.
FUZZ_SOURCES := $(wildcard $(addsuffix /*.c,kernels/base kernels/image kernels/text shards/embeddings shards/files shards/images shards/text shards/weights))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
# Images of more pixels would fill the fuzzer's memory, and time.
FUZZ_FLAGS := -DVB_CODEC_MOST_PIXELS=1000000 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -O1 -g -std=c11 -D_GNU_SOURCE -I.
fuzz:  ## libFuzzer over every parser of what users feed in, FUZZ_SECONDS each (clang, libclang-rt-14-dev)
	@tests/tools/install-packages.sh $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory $(FUZZERS:%=build-fuzz/fuzz_%)
	@for f in $(FUZZERS); do mkdir -p build-fuzz/corpus/$$f && echo "  FUZZ $$f" && \
	  build-fuzz/fuzz_$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2560 -max_len=65536 -print_final_stats=1 \
	    -artifact_prefix=build-fuzz/$$f- build-fuzz/corpus/$$f tests/fuzz/corpus/$$f 2>build-fuzz/$$f.log || { tail -n 40 build-fuzz/$$f.log; exit 1; }; \
	  grep -E 'number_of_executed_units|peak_rss' build-fuzz/$$f.log; done
analyze:  ## gcc -fanalyzer and clang-tidy (bugprone, cert), less what tests/tools/analyze.txt names with a reason (half an hour)
	@tests/tools/install-packages.sh clang-tidy
	@tests/tools/analyze.sh $$(nproc) -std=c11 -D_GNU_SOURCE -fopenmp -I. $(PKG) $$($(MPICC) --showme:compile 2>/dev/null)
differ:  ## the same random files to vocabench and to Pillow, tarfile, NumPy, json and PyYAML (DIFFER_SECONDS)
	@$(MAKE) --no-print-directory all tools
	@VOCABENCH_BUILD=$(BUILD) tests/campaigns/differ.py --seconds $(or $(DIFFER_SECONDS),600) --seed $$(date +%j)
build-fuzz/%.o: %.c $(wildcard kernels/*/*.h shards/*/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)clang $(FUZZ_FLAGS) $(ISA_FLAGS) $(PKG) -c -o $@ $<
build-fuzz/fuzz_%: build-fuzz/tests/fuzz/fuzz_%.o $(FUZZ_SOURCES:%.c=build-fuzz/%.o) $(ARCHIVES)
	@echo "  LINK $@"
	$(Q)clang $(FUZZ_FLAGS) -o $@ $^ $(LDLIBS) -lgomp
