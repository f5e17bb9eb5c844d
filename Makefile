# Builds, tests and installs vocabench. `make help` lists the targets.
#
# Out of tree: everything that is made lies under build/ (BUILD=dir to change it).
# One archive a floor: the link order program -> shards -> kernels is the order of the floors.

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
  libyaml-dev libzstd-dev libjansson-dev libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev \
  libpcre2-dev libutf8proc-dev libxxhash-dev zlib1g-dev wordnet-base gnuplot-nox opencl-c-headers
# The demo's pictures: the font, Unicode's list of its names, and what reads the font.
DEMO_PACKAGES := fonts-noto-color-emoji unicode-data libfreetype-dev
LIBRARIES := yaml-0.1 libzstd jansson libjpeg libpng libwebp libwebpdemux libtiff-4 libpcre2-8 libutf8proc libxxhash zlib scalapack-openmpi

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
# -O1 -g1: with more, the widest kernels take minutes and gigabytes to compile. Such builds have warnings of their own, wrong ones.
SAN_FLAGS := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined -O1 -g1 -w
BUILD := build-$(subst $(comma),-,$(firstword $(subst $(comma), ,$(SAN))))
endif
Q := $(if $(filter 0,$(V)),@,)

%_avx2.o:   ISA_FLAGS := -mavx2 -mfma -mf16c
%_avx512.o: ISA_FLAGS := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c
%_vnni.o:   ISA_FLAGS := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vnni -mavx2 -mfma -mf16c
%_bf16.o:   ISA_FLAGS := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512bf16 -mavx2 -mfma -mf16c
%_amx.o:    ISA_FLAGS := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mamx-tile -mamx-bf16 -mavx2 -mfma -mf16c
ifneq ($(shell uname -m),x86_64)
%.o: ISA_FLAGS :=
endif

# ---- sources ----------------------------------------------------------------------------------------------------
# Texts that the program carries: mpi/WING/NAME.gp is the constant vb_NAME_gp.
CL_TEXTS := $(patsubst %,$(BUILD)/%.o,$(wildcard kernels/*/*.cl))
KERNELS := $(patsubst %.c,$(BUILD)/%.o,$(wildcard kernels/*/*.c)) $(CL_TEXTS)
SHARDS  := $(patsubst %.c,$(BUILD)/%.o,$(wildcard shards/*/*.c))
PROGRAM := $(patsubst %.c,$(BUILD)/%.o,$(wildcard mpi/*.c mpi/*/*.c))
TEXTS   := $(patsubst %,$(BUILD)/%.o,$(wildcard mpi/*/*.gp mpi/*/*.css mpi/*/*.html mpi/*/*.js))
PROGRAM += $(TEXTS)
PROGRAM += $(if $(findstring address,$(SAN)),$(BUILD)/tests/sanitize/keep_loaded.o)
TEXTS   += $(CL_TEXTS)
ARCHIVES := $(BUILD)/libshards.a $(BUILD)/libkernels.a

.PHONY: all deps demo install deb uninstall clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/vocabench $(BUILD)/vocabench.1  ## build build/vocabench

# What the Makefile says of flags is in every object: with other ones they are made again.
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(MPICC) $(ALL_CFLAGS) $(ISA_FLAGS) -MMD -MP -c -o $@ $<

# A text as C; a style sheet without the comments and the white space that are for its readers.
$(TEXTS:.o=.c): $(BUILD)/%.c: % Makefile
	@mkdir -p $(@D)
	@name=vb_$(subst .,_,$(notdir $<)); echo "/* $< */ extern const char $$name[]; const char $$name[] =" >$@
	@case $< in \
	  *.css) sed 's,/\*.*\*/,,; s/^ *//; s/^\([a-z-]*\): /\1:/; s/ {$$/{/; s/, /,/g' $< | tr -d '\n' | sed 's/;}/}/g; s/[\\"]/\\&/g; s/.*/"&"/' ;; \
	  *.js) sed 's,^ *//.*,,; s/^ *//; /^$$/d; s/[\\"]/\\&/g; s/.*/"&\\n"/' $< ;; \
	  *) sed 's/[\\"]/\\&/g; s/.*/"&\\n"/' $< ;; esac >>$@
	@echo ';' >>$@
$(TEXTS): %.o: %.c
	@echo "  CC   $<"
	$(Q)$(MPICC) $(ALL_CFLAGS) -c -o $@ $<

# Version, revision and prefix reach the files that tell of them only, which are rebuilt when they change.
$(BUILD)/version.stamp: FORCE
	@mkdir -p $(@D); echo '$(VERSION) $(DATE) $(GIT) $(PREFIX)' | cmp -s - $@ || echo '$(VERSION) $(DATE) $(GIT) $(PREFIX)' > $@
FORCE: # phony: .SECONDARY would take a file that is not there for an intermediate one, and never look at the stamp
$(BUILD)/mpi/base/provenance.o $(BUILD)/mpi/base/install.o: $(BUILD)/version.stamp
$(BUILD)/mpi/base/provenance.o: ALL_CFLAGS += -DVB_VERSION='"$(VERSION)"' -DVB_DATE='"$(DATE)"' -DVB_GIT='"$(GIT)"'
$(BUILD)/mpi/base/install.o: ALL_CFLAGS += -DVB_PREFIX='"$(PREFIX)"'

$(BUILD)/libkernels.a: $(KERNELS)
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/libshards.a: $(SHARDS)
	@mkdir -p $(@D); rm -f $@; ar rcs $@ $^
$(BUILD)/vocabench: $(PROGRAM) $(ARCHIVES)
	@echo "  LINK $@"
	$(Q)$(MPICC) $(ALL_CFLAGS) -o $@.new $(PROGRAM) $(ARCHIVES) $(LDLIBS) && mv $@.new $@ # whoever runs it keeps the old one
# The man page and the shells' completions, from the program's own tables.
$(BUILD)/vocabench.1: $(BUILD)/vocabench
	$(Q)$< help --format man >$@
	$(Q)$< help --format bash >$(BUILD)/completion.bash
	$(Q)$< help --format zsh >$(BUILD)/completion.zsh

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d $(BUILD)/*/*/*/*.d)

include tests/tests.mk

# ---- what people type -------------------------------------------------------------------------------------------
deps:  ## install what a Debian 12 machine lacks for building and running
	@tests/tools/install-packages.sh $(PACKAGES)

demo: deps  ## install what is missing, build, show the whole job on emoji that Debian ships
	@tests/tools/install-packages.sh $(DEMO_PACKAGES)
	@$(MAKE) --no-print-directory all $(BUILD)/tests/demo/emoji
	@tests/tools/demo.sh $(BUILD)/vocabench

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
