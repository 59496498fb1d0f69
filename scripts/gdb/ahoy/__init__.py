# SPDX-License-Identifier: MIT
"""Kernel-aware commands for gdb."""
