# Tests, lint, benches and fuzzing: what is built and run beside the program. Included by the Makefile.

.PHONY: test-deps test test-slurm test-faults test-mutations unit emulated tools lint bench bench-retrieval bench-pipeline bench-peers bench-gpu check-gpu sanitize sanitize-all tsan valgrind emulate coverage fuzz differ analyze

SLURM_PACKAGES := munge slurmctld slurmd slurm-client slurm-wlm-basic-plugins jq
TEST_PACKAGES := libcmocka-dev libfaketime ocl-icd-libopencl1 pocl-opencl-icd zstd jq shellcheck cppcheck clang-format codespell valgrind python3-numpy python3-scipy python3-pil python3-yaml \
  python3-sentencepiece \
  mandoc groff man-db bsdextrautils zsh bash-completion chromium poppler-utils dpkg-dev qemu-user libsimde-dev texlive-latex-base texlive-latex-recommended
PEER_PACKAGES := python3-faiss python3-venv
FUZZ_PACKAGES := clang libclang-rt-14-dev
TSAN_PACKAGES := $(FUZZ_PACKAGES) libomp-14-dev

UNIT  := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/unit/*/test_*.c))
TOOLS := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/tools/*.c))
BENCH := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/bench/bench_*.c))
# Kernels for AVX-512 and VNNI as they stand, compiled for AVX2 (tests/emulator/), and the tests that go through the levels with them.
EMULATED := $(patsubst %.c,$(BUILD)/emulated/%.o,$(wildcard kernels/*/*_avx512.c kernels/*/*_vnni.c kernels/*/*_bf16.c) kernels/base/isa.c)
EMULATED_TESTS := $(if $(wildcard /usr/include/simde/x86/avx512.h),$(if $(filter x86_64$(SAN),$(shell uname -m)),$(patsubst tests/unit/kernels/%.c,$(BUILD)/emulated/%,$(shell grep -lE "vb_(isa_limit|coded_kernel)" tests/unit/kernels/test_*.c))))

# ---- how they are built -----------------------------------------------------------------------------------------
# A unit test may use the program's objects too, all but the one with main().
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(ARCHIVES) $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM))
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM)) $(ARCHIVES) $(LDLIBS) -lcmocka
$(BUILD)/tests/unit/mpi/test_failing_calls: LDLIBS += -Wl,--wrap=vb_fault
$(BUILD)/tests/unit/shards/test_failing_libraries: LDLIBS += $(addprefix -Wl$(comma)--wrap=,fstat fsync link readdir glob \
  ZSTD_createDCtx ZSTD_createCCtx ZSTD_CCtx_setParameter ZSTD_compress2 ZSTD_compress inflate yaml_parser_initialize \
  yaml_parser_parse jpeg_finish_compress WebPInitDecoderConfigInternal WebPDemuxGetFrame)
$(BUILD)/tests/unit/shards/test_pictures: LDLIBS += $(addprefix -Wl$(comma)--wrap=TIFF,RGBAImageOK RGBAImageGet OpenOptionsAlloc)
$(BUILD)/tests/unit/kernels/test_gpu_device: LDLIBS += -Wl,--wrap=dlopen,--wrap=dlsym
$(BUILD)/tests/unit/kernels/test_failing_text: LDLIBS += -Wl,--wrap=pcre2_match_8,--wrap=pcre2_match_data_create_8 \
  -Wl,--wrap=utf8proc_decompose_char,--wrap=utf8proc_normalize_utf32
# -O1: -O2 takes minutes for some. -fexpensive-optimizations: without vzeroupper at their ends, which -O1 leaves out, all that is
# not compiled for AVX runs up to 20 times slower on Intel's processors. -Wno-psabi: nobody else is called with such registers.
$(EMULATED): $(BUILD)/emulated/%.o: %.c tests/tests.mk
	@mkdir -p $(@D)
	@echo "  CC   $< for AVX2"
	$(Q)$(MPICC) $(ALL_CFLAGS) -O1 -fexpensive-optimizations -mavx2 -mfma -mf16c -Wno-psabi -include tests/emulator/$(if $(filter %/isa.c,$<),processor,avx512).h -MMD -MP -c -o $@ $<
$(EMULATED_TESTS): $(BUILD)/emulated/%: $(BUILD)/tests/unit/kernels/%.o $(EMULATED) $(ARCHIVES)
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(EMULATED) $(ARCHIVES) $(LDLIBS) -lcmocka
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
PEERS_OURS := $(addprefix $(BUILD)/tests/bench/,peers_ours.o peers_images.o peers_prompts.o operations.o)
$(BUILD)/tests/bench/peers_ours: $(PEERS_OURS) $(ARCHIVES) $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM))
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $(PEERS_OURS) $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM)) $(ARCHIVES) $(LDLIBS)
GPU_OURS := $(addprefix $(BUILD)/tests/bench/,gpu_ours.o gpu_tower.o)
$(BUILD)/tests/bench/gpu_ours: $(GPU_OURS) $(ARCHIVES)
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $(GPU_OURS) $(ARCHIVES) $(LDLIBS)
$(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o $(ARCHIVES)
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@ $< $(ARCHIVES) $(LDLIBS)

# ---- what people type -------------------------------------------------------------------------------------------
test-deps: deps
	@tests/tools/install-packages.sh $(DEMO_PACKAGES) $(TEST_PACKAGES)

test: test-deps  ## install what is missing, build, run every test (some ten minutes on two cores, and the build)
	@$(MAKE) --no-print-directory all unit tools
	@tests/run.sh $(BUILD)

test-slurm: deps  ## install Slurm, start a private cluster of two pretend nodes (as root), run jobs on it
	@tests/slurm/install.sh $(SLURM_PACKAGES)
	@$(MAKE) --no-print-directory all tools
	@tests/run.sh $(BUILD) slurm

FAULT_RUNS ?= 2000
FAULT_SEED ?= 1
test-faults: test-deps  ## FAULT_RUNS small runs with one mishap each, and after each a clean one (20 minutes to an hour); TESTING.md
	@$(MAKE) --no-print-directory all tools
	@VOCABENCH_BUILD=$(abspath $(BUILD)) tests/campaigns/faults.py --runs $(FAULT_RUNS) --seed $(FAULT_SEED)

test-mutations: test-deps  ## planted defects, one at a time: the tests must notice each (some 20 minutes)
	@tests/campaigns/mutations.py

emulated: $(EMULATED_TESTS)  ## build the tests of kernels with AVX-512 in AVX2 (part of unit)
unit: $(UNIT) emulated

# Programs that shell tests use; they share no code with what they check.
tools: $(TOOLS) $(BUILD)/tests/demo/emoji $(BUILD)/tests/bench/peers_ours $(BUILD)/tests/bench/gpu_ours

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

bench-peers: $(BUILD)/tests/bench/peers_ours $(BUILD)/tests/bench/bench_retrieval  ## images, prompts and retrieval against onnxruntime, OpenVINO, PyTorch and FAISS (gigabytes under build/); docs/measurements.md
	@tests/bench/peers.sh $^ $(BUILD)

bench-gpu: $(BUILD)/tests/bench/gpu_ours  ## kernels on a device against its own peak and PyTorch: products, ViT-B/32, B/16, L/14, retrieval (GPU_DEVICE, GPU_LAYERS, GPU_BATCH, GPU_CORPUS, GPU_TORCH)
	@tests/bench/gpu.sh $< $(BUILD)

check-gpu: all $(BUILD)/tests/bench/gpu_ours  ## on a machine with an accelerator, within five minutes: self-check, byte-equality to the CPU, bench-gpu
	@tests/bench/gpu_check.sh $(BUILD)

# What they run and what not, with reasons, stands in tests/sanitize/tests.txt.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))
sanitize:  ## unit tests and some others (tests/sanitize/tests.txt) under the address and undefined-behaviour sanitizers
	@$(MAKE) --no-print-directory $(JOBS) SAN=address,undefined all unit tools
	@VOCABENCH_TEST_MAKE=SAN=address,undefined tests/sanitize/sanitize.sh build-address quick

sanitize-all:  ## the same of every test that can run so (long: tests take several times as much)
	@$(MAKE) --no-print-directory $(JOBS) SAN=address,undefined all unit tools
	@VOCABENCH_TEST_MAKE=SAN=address,undefined tests/sanitize/sanitize.sh build-address all

# GCC's OpenMP tells ThreadSanitizer nothing of its barriers; LLVM's does, through archer.
THREADED := $(shell awk '$$1 == "threads" && $$2 ~ "^unit" { print "build-thread/tests/" $$2 }' tests/sanitize/tests.txt)
tsan:  ## threaded kernels, the pipeline and runs of two ranks under ThreadSanitizer (clang, libomp with archer)
	@tests/tools/install-packages.sh $(TSAN_PACKAGES)
	@OMPI_CC=clang $(MAKE) --no-print-directory $(JOBS) SAN=thread all tools $(THREADED)
	@OMP_TOOL_LIBRARIES=/usr/lib/llvm-14/lib/libarcher.so tests/sanitize/sanitize.sh build-thread threads

# cmocka's tests; those that allow each allocation to fail in turn would take an hour.
# Registers as they were where memory is read: after a lost page of a map the reader goes on (shards/files/map.c).
# Possible leaks are threads that the pool of OpenMP still has at the end.
VALGRIND ?= valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
  --errors-for-leak-kinds=definite,indirect --vex-iropt-register-updates=allregs-at-mem-access \
  --suppressions=tests/tools/valgrind.supp --num-callers=40
valgrind:  ## the unit tests that take less than a second, under valgrind's memcheck (ten minutes)
	@$(MAKE) --no-print-directory unit tools
	@tests/tools/valgrind.sh $(BUILD) $(VALGRIND)

emulate:  ## the tests of kernels on a processor with AVX2 alone, by qemu-user, and with AVX-512 in AVX2 (an hour)
	@tests/tools/install-packages.sh qemu-user libsimde-dev
	@$(MAKE) --no-print-directory unit
	@tests/tools/emulate.sh $(BUILD) max
	@tests/tools/emulate.sh $(BUILD) avx512

# All tests from nothing; or some, which add to what the others have counted: make coverage COVERAGE_TESTS='unit mpi/test_faults'.
# An object that was compiled again has new counters. Those of a process that is killed are lost.
COVERAGE_TESTS ?=
COUNTED := CFLAGS=-O1 -g;SAN_FLAGS=--coverage -fprofile-update=atomic
coverage:  ## lines and branches that the tests reach, by gcovr, and the error lines that none reaches (long; COVERAGE_TESTS)
	@tests/tools/install-packages.sh gcovr
	@$(MAKE) --no-print-directory BUILD=build-coverage '$(subst ;,' ',$(COUNTED))' all unit tools
	@find build-coverage -name '*.gcda' | while read -r counts; do \
	  if [ -z '$(COVERAGE_TESTS)' ] || [ "$${counts%.gcda}.gcno" -nt "$$counts" ]; then rm "$$counts"; fi; done
	@GCOV_ERROR_FILE=$(abspath build-coverage)/gcov.log VOCABENCH_TEST_MAKE='$(COUNTED)' VOCABENCH_TEST_PATIENCE=4 VOCABENCH_TEST_PLACES=all \
	  tests/run.sh build-coverage $(COVERAGE_TESTS) || \
	  echo "some tests fail in this build"
	@tests/tools/coverage.py build-coverage

# The wings whose readers are fuzzed; what they need of others comes as it is, from the archives and the program's objects.
FUZZ_SOURCES := $(wildcard $(addsuffix /*.c,kernels/base kernels/image kernels/text kernels/exact shards/*)) mpi/retrieve/scan_state.c \
  $(filter-out mpi/base/provenance.c mpi/base/install.c,$(wildcard $(addsuffix /*.c,mpi/base mpi/cluster mpi/experiment mpi/figures mpi/report mpi/results)))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
# Images of more pixels would fill the fuzzer's memory, and time.
FUZZ_FLAGS := -DVB_CODEC_MOST_PIXELS=1000000 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -O1 -g -std=c11 -D_GNU_SOURCE -I.
fuzz:  ## libFuzzer over every parser of what users feed in, FUZZ_SECONDS each (clang, libclang-rt-14-dev)
	@tests/tools/install-packages.sh $(FUZZ_PACKAGES)
	@$(MAKE) --no-print-directory $(FUZZERS:%=build-fuzz/fuzz_%)
	@tests/tools/fuzz.sh $(FUZZ_SECONDS) $(FUZZERS)
analyze:  ## gcc -fanalyzer and clang-tidy (bugprone, cert), less what tests/tools/analyze.txt names with a reason (half an hour)
	@tests/tools/install-packages.sh clang-tidy libomp-14-dev # which has clang's omp.h
	@tests/tools/analyze.sh $$(nproc) -std=c11 -D_GNU_SOURCE -fopenmp -I. $(PKG) $$($(MPICC) --showme:compile 2>/dev/null)
differ:  ## the same random files to vocabench and to Pillow, tarfile, NumPy, json, PyYAML, sentencepiece and ftfy (DIFFER_SECONDS)
	@$(MAKE) --no-print-directory all tools
	@VOCABENCH_BUILD=$(abspath $(BUILD)) $(or $(PYTHON),/usr/bin/python3) tests/campaigns/differ.py --seconds $(or $(DIFFER_SECONDS),600) --seed $$(date +%j)
build-fuzz/%.o: %.c $(wildcard kernels/*/*.h shards/*/*.h mpi/*/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	@echo "  CC   $@"
	$(Q)OMPI_CC=clang $(MPICC) $(FUZZ_FLAGS) $(ISA_FLAGS) $(PKG) -c -o $@ $<
$(BUILD)/program.a: $(filter-out $(BUILD)/mpi/main.o,$(PROGRAM))
	$(Q)rm -f $@ && ar rcs $@ $^
build-fuzz/fuzz_%: build-fuzz/tests/fuzz/fuzz_%.o $(FUZZ_SOURCES:%.c=build-fuzz/%.o) $(BUILD)/program.a $(ARCHIVES)
	@echo "  LINK $@"
	$(Q)OMPI_CC=clang $(MPICC) $(FUZZ_FLAGS) -o $@ $^ $(LDLIBS) -lgomp
