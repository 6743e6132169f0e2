/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing which file a running program is, without executing it again: a
 * second start of the C library costs more than most of what a container needs.
 *
 * The kernel lets a process replace its executable (PR_SET_MM_MAP, 3.18, made
 * for restore from a checkpoint) once nothing of the old file is mapped. The
 * new file is the same one seen through a read-only mount, so every read-only
 * segment is mapped again from there, byte for byte the same, and the
 * writable one becomes anonymous memory with the same contents.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "buf.h"
#include "child.h"
#include "cleat.h"
#include "fd.h"
#include "pathfs.h"
#include "selfexe.h"

/* The main program's segments: what dl_iterate_phdr() names first. */
static int take_first(struct dl_phdr_info *info, size_t size, void *arg)
{
	memcpy(arg, info, size < sizeof(*info) ? size : sizeof(*info));
	return 1;
}

static int remap_readonly(uintptr_t start, size_t len, const ElfW(Phdr) *p, int fd, uintptr_t page)
{
	int prot = (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_X ? PROT_EXEC : 0);

	/* This may be the code that runs: the same bytes are there again when the call returns. */
	return mmap((void *)start, len, prot, MAP_PRIVATE | MAP_FIXED, fd, (off_t)(p->p_offset & ~(page - 1))) ==
		MAP_FAILED ? -errno : 0;
}

/* By hand: a checking memcpy would stop at the guards that a sanitizer puts between variables. */
__attribute__((no_sanitize("address"))) static void copy_pages(void *to, uintptr_t from, size_t len)
{
	const volatile uint64_t *src = (const volatile uint64_t *)from;
	volatile uint64_t *dst = to;
	size_t i;

	for (i = 0; i < len / sizeof(*src); i++)
		dst[i] = src[i];
}

static int remap_writable(uintptr_t start, size_t len)
{
	void *copy = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (copy == MAP_FAILED)
		return -errno;
	copy_pages(copy, start, len);
	if (mremap(copy, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start) == MAP_FAILED) {
		munmap(copy, len);
		return -errno;
	}
	return 0;
}

static int remap_segments(int fd)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start, end;
	struct dl_phdr_info info = { 0 };
	const ElfW(Phdr) *p, *relro = NULL;
	int i, r = 0;

	dl_iterate_phdr(take_first, &info);
	for (i = 0; i < info.dlpi_phnum && !r; i++) {
		p = &info.dlpi_phdr[i];
		if (p->p_type == PT_GNU_RELRO)
			relro = p;
		if (p->p_type != PT_LOAD || !p->p_filesz)
			continue;
		start = (info.dlpi_addr + p->p_vaddr) & ~(page - 1);
		end = (info.dlpi_addr + p->p_vaddr + p->p_filesz + page - 1) & ~(page - 1);
		r = p->p_flags & PF_W ? remap_writable(start, end - start) :
			remap_readonly(start, end - start, p, fd, page);
	}
	if (r || !relro)
		return r;
	start = (info.dlpi_addr + relro->p_vaddr) & ~(page - 1);
	end = (info.dlpi_addr + relro->p_vaddr + relro->p_memsz) & ~(page - 1);
	return end > start && mprotect((void *)start, end - start, PROT_READ) ? -errno : 0;
}

#define STAT_SIGNALS 0x7fffffffu	/* those of which /proc/PID/stat tells whether they are ignored: 1 to 31 */

/*
 * The borders of our memory as the kernel has them, from /proc/self/stat: they stay as they are. What the file
 * knows of ignored signals comes for nothing.
 */
static int read_map(struct prctl_mm_map *m)
{
	__typeof__(m->start_code) ignored = STAT_SIGNALS, *const fields[] = {
		[26] = &m->start_code, [27] = &m->end_code, [28] = &m->start_stack, [33] = &ignored,
		[45] = &m->start_data,
		[46] = &m->end_data, [47] = &m->start_brk, [48] = &m->arg_start, [49] = &m->arg_end,
		[50] = &m->env_start, [51] = &m->env_end,
	};
	char text[1024];
	auto_buf b = BUF_ON(text);
	unsigned int i;
	char *p;
	int r;

	r = path_read(AT_FDCWD, "/proc/self/stat", 4096, &b);
	if (r)
		return r;
	p = strrchr(b.data, ')');
	/* Behind the name in parentheses comes field 3. */
	for (i = 2; p && i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (fields[i])
			*fields[i] = strtoull(p, NULL, 10);
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	if (i < sizeof(fields) / sizeof(fields[0]) || !m->start_code || !m->env_end)
		return -EPROTO;
	child_ignored_are(STAT_SIGNALS, ignored);
	m->brk = (uintptr_t)sbrk(0);
	return 0;
}

int cleat_selfexe_switch(int *mount)
{
	struct prctl_mm_map map = { .auxv = NULL };
	auto_fd fd = selfexe_open_readonly(), file = -1;
	char path[FD_PATH_SIZE];
	int r;

	if (fd < 0)
		return fd;
	r = read_map(&map);
	if (r)
		return r;
	/* The mount's root is the file itself. */
	file = openat(AT_FDCWD, fd_path(path, fd), O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	/* Asked for before anything is changed: does this kernel know the call, and do we have the right? */
	if (prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &(unsigned int){ 0 }, 0, 0))
		return -errno;
	r = remap_segments(file);
	if (r)
		return r;
	map.exe_fd = (unsigned int)file;
	if (prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0))
		return -errno;
	*mount = take_fd(&fd);
	return 0;
}
