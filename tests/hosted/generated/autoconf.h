/* SPDX-License-Identifier: MIT */
/* The configuration that the personality is tested with: all that it has. */
#define CONFIG_USERSPACE	 1
#define CONFIG_PRINTF		 1
#define CONFIG_SYSCALL_UNKNOWN	 1
#define CONFIG_PRINT_USER_FAULTS 1
#define CONFIG_BINFMT_SCRIPT	 1
#define CONFIG_ELF_INTERPRETER	 1
#define CONFIG_SYMBOLIC_ERRNAME	 1
#define CONFIG_PANIC		 1
#define CONFIG_PIPE		 1
