# SPDX-License-Identifier: MIT
#
# Device trees for unit tests and fuzzers, made in $(O)/trees: those of the
# machines that QEMU has, and the sources of this folder. Sets TREES. Uses $(Q) and $(say).

QEMU ?= qemu-system-riscv64
DTC ?= dtc

fdt-dir := $(dir $(lastword $(MAKEFILE_LIST)))
fdt-machines := virt spike sifive_u

TREES := $(patsubst %,$(O)/trees/qemu-%.dtb,$(fdt-machines) virt-8) \
	$(patsubst $(fdt-dir)%.dts,$(O)/trees/%.dtb,$(wildcard $(fdt-dir)*.dts))

$(O)/trees/qemu-virt-8.dtb: qemu-args = -M virt,dumpdtb=$@.raw -smp 8
$(O)/trees/qemu-%.dtb: qemu-args = -M $*,dumpdtb=$@.raw

# The trees' seeds differ from run to run; -seed makes them the same. QEMU 7.2
# dumps a mebibyte; dtc takes the padding away, as a boot does.
$(O)/trees/qemu-%.dtb:
	@mkdir -p $(@D)
	$(call say,QEMU    )
	$(Q)$(QEMU) $(qemu-args) -seed 1 -display none -bios none >$@.log 2>&1 || { cat $@.log; exit 1; }
	$(Q)$(DTC) -q -f -I dtb -O dtb -o $@ $@.raw && rm -f $@.raw $@.log

$(O)/trees/%.dtb: $(fdt-dir)%.dts
	@mkdir -p $(@D)
	$(call say,DTC     )
	$(Q)$(DTC) -q -I dts -O dtb -o $@ $<
