/* SPDX-License-Identifier: MIT */
/* The configuration that the personality is tested with: all that it has. */
#define CONFIG_USERSPACE	  1
#define CONFIG_PRINTF		  1
#define CONFIG_SYSCALL_UNKNOWN	  1
#define CONFIG_PRINT_USER_FAULTS  1
#define CONFIG_BINFMT_SCRIPT	  1
#define CONFIG_ELF_INTERPRETER	  1
#define CONFIG_SYMBOLIC_ERRNAME	  1
#define CONFIG_PANIC		  1
#define CONFIG_PIPE		  1
#define CONFIG_FUTEX		  1
#define CONFIG_PROCESS_GROUPS	  1
#define CONFIG_MULTIUSER	  1
#define CONFIG_RESOURCE_LIMITS	  1
#define CONFIG_FILE_STATUS	  1
#define CONFIG_CONSOLE_READ	  1
#define CONFIG_MREMAP		  1
#define CONFIG_ADVISE_SYSCALLS	  1
#define CONFIG_SYSTEM_INFORMATION 1
