"""Lets Python's small objects come from glibc's malloc, which can return the memory of closed pages to the system.

Python's own allocator takes memory in arenas of 1 MB and returns one only when nothing in it is left. 300 page visits leave a few small
objects in nearly every arena, so the process stays at its peak for good. glibc's `malloc_trim` returns each free 4 kB.
"""

import ctypes
import os
import sys
import sysconfig
from functools import cache

_RAW, _MEM, _OBJ = range(3)  # PyMemAllocatorDomain


class _Allocator(ctypes.Structure):
    """PyMemAllocatorEx. Its functions are C functions that take the context first; none of them is called from here."""

    _fields_ = tuple((name, ctypes.c_void_p) for name in ("context", "malloc", "calloc", "realloc", "free"))


def use_system_allocator(on: bool) -> bool:
    """Whether new objects come from malloc from now on. Returns False where that is not possible.

    PYTHONMALLOC=malloc would do the same, but from the start of the interpreter and for good, and placing a call would cost about 15 %
    more CPU. Only the functions that take memory are replaced. Python's own `free` and `realloc` know blocks that are not in its arenas,
    because it has always taken blocks of more than 512 bytes from malloc, so objects of both kinds can live side by side.
    """
    found = _found()
    for domain, allocators in found.items():
        ctypes.pythonapi.PyMem_SetAllocator(domain, ctypes.byref(allocators[on]))
    return bool(found)


@cache
def _found() -> dict[int, tuple[_Allocator, _Allocator]]:
    """Python's own and the mixed allocator of each domain. Empty except on glibc with CPython's usual allocators: debug builds add headers
    to each block, and free threading has another allocator.
    """
    if sys.implementation.name != "cpython" or "CS_GNU_LIBC_VERSION" not in getattr(os, "confstr_names", {}):
        return {}
    if not (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc") or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return {}
    raw, mem, small = _get(_RAW), _get(_MEM), _get(_OBJ)
    if not mem.free == small.free != raw.free or raw.context is not None:
        return {}
    return {domain: (_get(domain), _mixed(_get(domain), raw)) for domain in (_MEM, _OBJ)}


def _mixed(own: _Allocator, raw: _Allocator) -> _Allocator:
    own.malloc, own.calloc = raw.malloc, raw.calloc
    return own


def _get(domain: int) -> _Allocator:
    found = _Allocator()
    ctypes.pythonapi.PyMem_GetAllocator(domain, ctypes.byref(found))
    return found
