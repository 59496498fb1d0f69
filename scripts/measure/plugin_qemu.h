/* SPDX-License-Identifier: MIT */
/*
 * What is used of QEMU's plugin interface, API 1 (QEMU 7.2) to 4 (QEMU 10).
 * Functions that an older QEMU lacks are weak: ask before calling.
 */
#ifndef PLUGIN_QEMU_H
#define PLUGIN_QEMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT	 __attribute__((visibility("default")))
#define OPTIONAL __attribute__((weak))

#define CB_NO_REGS   0
#define CB_READ_REGS 1
#define MEM_RW	     3

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_plugin_hwaddr;
struct qemu_plugin_register;

/* The head of what qemu_plugin_install() is told. */
struct qemu_info {
	const char *target_name;
	struct {
		int min;
		int cur;
	} version;
};

/* GLib's public head of GArray and GByteArray. */
struct glib_array {
	char *data;
	unsigned int len;
};

struct register_descriptor {
	struct qemu_plugin_register *handle;
	const char *name;
	const char *feature;
};

struct mem_value {
	int type; /* 0 to 4: 8 to 128 bits */
	union {
		uint8_t u8;
		uint16_t u16;
		uint32_t u32;
		uint64_t u64;
		struct {
			uint64_t low;
			uint64_t high;
		} u128;
	} data;
};

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_init_cb(plugin_id id, void (*cb)(plugin_id, unsigned int));
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
					   void (*cb)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int, void *), int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int, void *), int flags,
					    void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*cb)(unsigned int, uint32_t, uint64_t, void *),
				      int flags, int rw, void *data);
void qemu_plugin_register_flush_cb(plugin_id id, void (*cb)(plugin_id));
void qemu_plugin_register_atexit_cb(plugin_id id, void (*cb)(plugin_id, void *), void *data);
bool qemu_plugin_mem_is_store(uint32_t info);
unsigned int qemu_plugin_mem_size_shift(uint32_t info);
struct qemu_plugin_hwaddr *qemu_plugin_get_hwaddr(uint32_t info, uint64_t vaddr);
bool qemu_plugin_hwaddr_is_io(const struct qemu_plugin_hwaddr *addr);
uint64_t qemu_plugin_hwaddr_phys_addr(const struct qemu_plugin_hwaddr *addr);

/*
 * Up to API 2 it takes the instruction alone and returns where its bytes are;
 * since API 3 it copies them. Either way of calling is right for the other's
 * arguments, so that one declaration does.
 */
uintptr_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len);

/* API 2 */
OPTIONAL void *qemu_plugin_scoreboard_new(size_t size);
OPTIONAL struct glib_array *qemu_plugin_get_registers(void);
OPTIONAL int qemu_plugin_read_register(struct qemu_plugin_register *reg, struct glib_array *buf);
/* API 4 */
OPTIONAL struct mem_value qemu_plugin_mem_get_value(uint32_t info);
/* GLib, in QEMU */
OPTIONAL struct glib_array *g_byte_array_new(void);
OPTIONAL struct glib_array *g_byte_array_set_size(struct glib_array *array, unsigned int len);

#endif
