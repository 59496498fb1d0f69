# SPDX-License-Identifier: MIT
#
# The top makefile: finds the source and the object tree, the compiler and the
# configuration, and hands each folder to scripts/Makefile.build. It is always
# run in the object tree, which is the source tree unless O= names another.

VERSION = 0
PATCHLEVEL = 1
SUBLEVEL = 0
EXTRAVERSION =

# No built-in rules or variables, and no "Entering directory".
MAKEFLAGS += -rR --no-print-directory

# The default goal, whatever is included before its rule.
PHONY := all
all:

# ---------------------------------------------------------------------------
# First pass: command-line switches, and the way into the object tree.

ifneq ($(sub_make_done),1)

ifeq ($(filter undefine,$(.FEATURES)),)
$(error GNU make 3.82 or newer is needed, this is $(MAKE_VERSION))
endif

# V=1 prints commands, V=2 prints why a target is remade.
ifeq ($(origin V),command line)
KBUILD_VERBOSE := $(V)
endif
KBUILD_VERBOSE ?= 0
ifneq ($(filter 1,$(KBUILD_VERBOSE)),)
quiet :=
Q :=
else
quiet := quiet_
Q := @
endif
ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
quiet := silent_
Q := @
KBUILD_VERBOSE := 0
endif

# W=1..3 adds warnings, W=e makes them errors (W=1e for both).
ifeq ($(origin W),command line)
KBUILD_EXTRA_WARN := $(W)
endif
# C=1 runs the checker on what is compiled, C=2 on every source file.
ifeq ($(origin C),command line)
KBUILD_CHECKSRC := $(C)
endif
KBUILD_CHECKSRC ?= 0

ifeq ($(origin O),command line)
KBUILD_OUTPUT := $(O)
endif

abs_srctree := $(realpath $(dir $(lastword $(MAKEFILE_LIST))))
ifneq ($(KBUILD_OUTPUT),)
quoted := '$(subst ','\'',$(KBUILD_OUTPUT))'
abs_objtree := $(shell mkdir -p $(quoted) && cd $(quoted) && pwd)
ifeq ($(abs_objtree),)
$(error cannot create the output folder "$(KBUILD_OUTPUT)")
endif
else
abs_objtree := $(CURDIR)
endif
ifneq ($(words $(subst :, ,$(subst %, ,$(abs_srctree) $(abs_objtree)))),2)
$(error the names of the source and output folders must not have any of space, colon or %)
endif

export KBUILD_VERBOSE KBUILD_EXTRA_WARN KBUILD_CHECKSRC quiet Q
export abs_srctree abs_objtree
export sub_make_done := 1

# A second make, so that -rR holds from its first line and the current folder
# is the object tree.
PHONY += $(MAKECMDGOALS) __sub-make
$(filter-out $(abs_srctree)/Makefile Makefile __sub-make all,$(MAKECMDGOALS)) all: __sub-make
	@:
__sub-make:
	@case "$$abs_srctree$$abs_objtree" in *[]\[\'\"\\\$$\`\#%\&\(\)*,\;\<=\>?{\|}!]*) \
		echo >&2 '*** The names of the source and output folders must not have any of '\
	'[]'\''"\$$`#%&()*,;<=>?{|}!: make, the shell or the compiler would take them for something else.'; \
		exit 1;; esac
	$(Q)$(MAKE) -C $(abs_objtree) -f $(abs_srctree)/Makefile $(MAKECMDGOALS)

$(sort Makefile $(abs_srctree)/Makefile): ;

else # sub_make_done

# ---------------------------------------------------------------------------
# Second pass: in the object tree.

ifeq ($(abs_srctree),$(abs_objtree))
srctree := .
srcpfx :=
else
srctree := $(abs_srctree)
srcpfx := $(abs_srctree)/
building_out_of_srctree := 1
endif
objtree := .
export srctree srcpfx objtree building_out_of_srctree

KERNELVERSION := $(VERSION).$(PATCHLEVEL).$(SUBLEVEL)$(EXTRAVERSION)
KCONFIG_CONFIG ?= .config
SRCARCH := riscv
export KERNELVERSION KCONFIG_CONFIG SRCARCH

include $(srctree)/scripts/Kbuild.include

# What is asked for: a configuration, something that needs none, one object.
no-dot-config-targets := clean mrproper distclean help kernelversion check check-% \
	bench bench-% compare sweep price prices format kconfig-lint tags TAGS cscope gtags \
	$(if $(CONFIGS),trace profile)
config-targets := config %config %.config
single-targets := %.o %.s %.i %.lst %/

need-config := 1
ifneq ($(MAKECMDGOALS),)
ifeq ($(filter-out $(no-dot-config-targets),$(MAKECMDGOALS)),)
need-config :=
endif
endif
ifneq ($(filter $(config-targets),$(MAKECMDGOALS)),)
config-build := 1
ifneq ($(words $(MAKECMDGOALS)),1)
mixed-build := 1
endif
endif
ifneq ($(filter clean mrproper distclean,$(MAKECMDGOALS)),)
ifneq ($(words $(MAKECMDGOALS)),1)
mixed-build := 1
endif
endif

PHONY += outputmakefile
# A makefile in the object tree, so that plain "make" works there.
outputmakefile:
ifdef building_out_of_srctree
	$(Q)printf '%s\n' '# Made by make O=: leads back to the source tree.' \
		'export KBUILD_OUTPUT := $$(CURDIR)' 'include $(srctree)/Makefile' > Makefile.tmp; \
	if cmp -s Makefile.tmp Makefile; then rm Makefile.tmp; else mv Makefile.tmp Makefile; fi
endif

ifdef mixed-build

# Goals of several kinds: one by one, in the order given.
PHONY += $(MAKECMDGOALS) __one_by_one
$(MAKECMDGOALS): __one_by_one
	@:
__one_by_one:
	$(Q)set -e; for goal in $(MAKECMDGOALS); do \
		$(MAKE) -f $(srctree)/Makefile $$goal; \
	done

else

include $(srctree)/scripts/Makefile.toolchain

ifdef config-build

config: outputmakefile FORCE
	$(Q)$(MAKE) -f $(srctree)/scripts/kconfig/Makefile $@
%config: outputmakefile FORCE
	$(Q)$(MAKE) -f $(srctree)/scripts/kconfig/Makefile $@
%.config: outputmakefile FORCE
	$(Q)$(MAKE) -f $(srctree)/scripts/kconfig/Makefile $@

else

ifdef need-config
# Brought up to date by its rule below, after which make starts over.
include include/config/auto.conf
-include include/config/auto.conf.cmd
endif

include $(srctree)/scripts/Makefile.flags
include $(srctree)/arch/$(SRCARCH)/Makefile

# One target is built by the makefile of its folder.
ifneq ($(filter $(single-targets),$(MAKECMDGOALS)),)
single-build := $(filter $(single-targets),$(MAKECMDGOALS))
endif

all: ahoy Image
	@:

# -- configuration ----------------------------------------------------------

ifdef need-config
$(KCONFIG_CONFIG):
	@echo >&2 '***'
	@echo >&2 '*** No configuration ("$(KCONFIG_CONFIG)" is missing).'
	@echo >&2 '*** Run "make defconfig" or "make menuconfig" first; "make help" lists more.'
	@echo >&2 '***'
	@/bin/false

include/config/auto.conf include/generated/autoconf.h &: $(KCONFIG_CONFIG)
	+$(call cmd,syncconfig)
include/config/auto.conf.cmd: ;

quiet_cmd_syncconfig = SYNC    include/config/auto.conf
      cmd_syncconfig = $(MAKE) -f $(srctree)/scripts/kconfig/Makefile syncconfig
endif

# -- host tools, generated headers ------------------------------------------

scripts/fixdep: $(srcpfx)scripts/fixdep.c
	$(Q)mkdir -p scripts
	$(call cmd,hostcc)
quiet_cmd_hostcc = HOSTCC  $@
      cmd_hostcc = $(HOSTCC) -O2 -Wall -Wextra -o $@ $<

PHONY += prepare
prepare: outputmakefile scripts/fixdep include/config/auto.conf include/generated/utsrelease.h $(if $(CONFIG_IKCONFIG),include/generated/config_text.h)

include/generated/utsrelease.h: FORCE
	$(call filechk,utsrelease)
# The option by its name: autoconf.h has it quoted as C wants it.
filechk_utsrelease = echo '\#define UTS_RELEASE "$(KERNELVERSION)" CONFIG_LOCALVERSION'

# The configuration as a C string, without comments: IKCONFIG embeds it. Another
# file in its place lets images be compared that differ in an option alone.
include/generated/config_text.h: $(KCONFIG_CONFIG) FORCE
	$(call filechk,config_text)
filechk_config_text = sed -e '/^CONFIG_/!d' -e '/^CONFIG_CC_\(INCLUDE_DIR\|UBSAN_FLAGS\)=/d' \
	-e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $(or $(KBUILD_IKCONFIG),$(KCONFIG_CONFIG))

KERNELRELEASE = $(KERNELVERSION)$(call unquote,$(CONFIG_LOCALVERSION))

# -- the kernel --------------------------------------------------------------

PHONY += descend
descend: prepare $(if $(CONFIG_USERSPACE),userspace)
	$(Q)$(MAKE) $(build)=.

built-in.a: descend ;

# Programs and their archive, which may become part of the image.
PHONY += userspace
userspace: prepare
	$(Q)$(MAKE) $(build)=usr

$(KBUILD_LDS): $(srcpfx)arch/$(SRCARCH)/ahoy.lds.S prepare FORCE
	$(Q)mkdir -p $(@D)
	$(Q)mkdir -p $(dir $@)
	$(call if_changed_dep,lds)
quiet_cmd_lds = LDS     $@
      cmd_lds = $(CPP) $(KBUILD_CPPFLAGS) -Wp,-MMD,$(depfile) -P -D__ASSEMBLY__ -DLINKER_SCRIPT -o $@ $<

# The kernel's C library, of which what is called gets into the image.
KBUILD_LIBS := $(if $(CONFIG_KERNEL_LIBC_MUSL),lib/musl/libc.a)
$(KBUILD_LIBS): descend ;

ahoy: built-in.a $(KBUILD_LIBS) $(KBUILD_LDS) $(srctree)/scripts/link-ahoy.sh $(if $(CONFIG_KALLSYMS),$(srctree)/scripts/kallsyms.py) FORCE
	+$(call if_changed,link)
quiet_cmd_link = LINK    $@
      cmd_link = CC="$(CC)" NM="$(NM)" KBUILD_LIBS="$(KBUILD_LIBS)" KALLSYMS="$(if $(CONFIG_KALLSYMS),$(srctree)/scripts/kallsyms.py)" \
	$(CONFIG_SHELL) $(srctree)/scripts/link-ahoy.sh $@ $(KBUILD_LDS) \
	$(KBUILD_CFLAGS) -- $(KBUILD_LDFLAGS)

PHONY += Image
Image: arch/$(SRCARCH)/boot/Image

# -- one file or folder -------------------------------------------------------

ifdef single-build
PHONY += $(filter %/,$(single-build))
$(filter-out %/,$(single-build)): prepare FORCE
	$(Q)$(MAKE) $(build)=$(patsubst %/,%,$(dir $@)) single=1 $@
$(filter %/,$(single-build)): prepare FORCE
	$(Q)$(MAKE) $(build)=$(patsubst %/,%,$@)
endif

# -- run, look, test ------------------------------------------------------------

include $(srctree)/scripts/Makefile.targets

endif # config-build
endif # mixed-build

PHONY += FORCE
FORCE:

# The .cmd files of what this makefile itself makes.
targets := ahoy $(KBUILD_LDS) arch/$(SRCARCH)/boot/Image
-include $(foreach f,$(targets),$(dir $(f)).$(notdir $(f)).cmd)

# Makefiles are not made.
$(sort Makefile $(srcpfx)Makefile): ;

endif # sub_make_done

.PHONY: $(PHONY)
.DELETE_ON_ERROR:
