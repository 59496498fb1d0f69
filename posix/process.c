// SPDX-License-Identifier: MIT
/* Which processes there are, their numbers, groups and sessions. */
#include "process.h"
#include "file.h"
#include <ahoy/compiler.h>
#include <ahoy/errno.h>
#include <ahoy/string.h>

/* Numbers are below, as Linux has it unless told otherwise; few are kept for the start. */
#define PID_MAX	     32768
#define PID_RESERVED 300

/* One of so many pages of memory may go for tasks: a stack, tables, and what little they touch. */
#define PAGES_PER_TASK 16

struct lock processes_lock;
struct process *first_process;

static struct rb_tree ids;
static int last_nr;
static unsigned int tasks, tasks_max;

/* The first one, which nobody frees */
static struct {
	struct process process;
	struct task task;
	struct id id;
} initial;

/* --- numbers ------------------------------------------------------------------------ */

static struct id *id_of(struct rb_node *node)
{
	return rb_entry(node, struct id, node);
}

/* Return: the place of @nr in the tree: *link is NULL if it is not there, or points to it. */
static struct rb_node **id_place(int nr, struct rb_node **parent)
{
	struct rb_node **link = &ids.root;

	*parent = NULL;
	while (*link && id_of(*link)->nr != nr) {
		*parent = *link;
		link = nr < id_of(*link)->nr ? &(*link)->left : &(*link)->right;
	}
	return link;
}

struct id *id_find(int nr)
{
	struct rb_node *parent, **link = id_place(nr, &parent);

	return *link ? id_of(*link) : NULL;
}

struct process *process_next(struct process *process)
{
	struct rb_node *node = process ? rb_next(&process->id->node) : rb_first(&ids);

	while (node && !id_of(node)->process)
		node = rb_next(node);
	return node ? id_of(node)->process : NULL;
}

/* The next free number, which the caller's @id gets, with one use. Return: 0, -EAGAIN. */
static int id_give(struct id *id)
{
	struct rb_node *parent, **link;
	int nr = last_nr;

	for (int tries = 0; tries < PID_MAX; tries++) {
		if (++nr >= PID_MAX)
			nr = PID_RESERVED;
		link = id_place(nr, &parent);
		if (*link)
			continue;
		last_nr = nr;
		id->nr = nr;
		id->uses = 1;
		list_init(&id->group);
		rb_insert(&ids, &id->node, parent, link);
		return 0;
	}
	return -EAGAIN;
}

static void id_put(struct id *id)
{
	if (--id->uses)
		return;
	rb_erase(&ids, &id->node);
	kfree(id);
}

/* --- memory ------------------------------------------------------------------------- */

struct memory *memory_create(void)
{
	struct memory *memory = kzalloc(sizeof(*memory));

	if (!memory)
		return NULL;
	memory->space = address_space_create();
	if (memory->space) {
		memory->users = 1;
		return memory;
	}
	kfree(memory);
	return NULL;
}

struct memory *memory_clone(struct memory *from)
{
	struct memory *memory = kmalloc(sizeof(*memory));

	if (!memory)
		return NULL;
	/* Its limits fit what is mapped: neither changes between. */
	lock(&from->lock);
	*memory = *from;
	memory->space = address_space_clone(from->space);
	unlock(&from->lock);
	memory->users = 1;
	memory->lock = (struct lock){ 0 };
	if (memory->space)
		return memory;
	kfree(memory);
	return NULL;
}

void memory_put(struct memory *memory)
{
	if (__atomic_sub_fetch(&memory->users, 1, __ATOMIC_ACQ_REL))
		return;
	address_space_destroy(memory->space);
	kfree(memory);
}

/* --- tasks -------------------------------------------------------------------------- */

struct task *task_create(struct process *process)
{
	struct task *task = kzalloc(sizeof(*task));

	if (!task)
		return NULL;
	task->id = kzalloc(sizeof(*task->id));
	if (!task->id) {
		kfree(task);
		return NULL;
	}
	task->process = process;
	return task;
}

void task_discard(struct task *task)
{
	kfree(task->id);
	kfree(task);
}

/* May there be another one? Found out when there is a second one. */
static bool may_grow(void)
{
	size_t total, left;

	if (tasks && !tasks_max) {
		memory_pages(&total, &left);
		tasks_max = (unsigned int)min_t(size_t, total / PAGES_PER_TASK, PID_MAX / 2);
	}
	return !tasks || tasks < tasks_max;
}

int task_publish(struct task *task)
{
	struct process *process = task->process;
	bool first = !process->id;
	u64 limit = limit_of(process, RLIMIT_NPROC);

	/* All of them are one user's. */
	if (!may_grow() || (limit != RLIM_INFINITY && tasks >= limit) || id_give(task->id))
		return -EAGAIN;
	tasks++;
	task->tid = task->id->nr;
	task->id->task = task;
	list_add_tail(&task->link, &process->tasks);
	__atomic_add_fetch(&process->task_count, 1, __ATOMIC_RELAXED);
	if (!first)
		return 0;
	process->id = task->id;
	process->id->uses++;
	process->id->process = process;
	process->pid = task->tid;
	process_set_group(process, process->parent ? process->parent->group : process->id);
	process_set_session(process, process->parent ? process->parent->session : process->id);
	if (process->parent) {
		process->ppid = process->parent->pid;
		list_add_tail(&process->sibling, &process->parent->children);
	}
	return 0;
}

void task_withdraw(struct task *task)
{
	struct process *process = task->process;

	list_del(&task->link);
	/* Who sees one only, outside the lock, may rely on what the other has done: fd_get(). */
	__atomic_sub_fetch(&process->task_count, 1, __ATOMIC_RELEASE);
	task->id->task = NULL;
	id_put(task->id);
	tasks--;
}

unsigned int task_total(void)
{
	return READ_ONCE(tasks);
}

void task_take_pid(struct task *task)
{
	struct process *process = task->process;

	if (task->tid == process->pid)
		return;
	task->id->task = NULL;
	id_put(task->id);
	task->id = process->id;
	task->id->uses++;
	task->id->task = task;
	task->tid = process->pid;
}

/* --- processes ------------------------------------------------------------------------ */

static void process_inherit(struct process *process, struct process *parent)
{
	process->parent = parent;
	limits_inherit(process, parent);
	if (parent) {
		process->signals.ignored = parent->signals.ignored;
		process->signals.reap_children = parent->signals.reap_children;
	}
}

struct process *process_create(struct process *parent, struct task **task)
{
	struct process *process = parent ? kzalloc(sizeof(*process)) : &initial.process;

	*task = &initial.task;
	if (parent) {
		*task = process ? task_create(process) : NULL;
	} else {
		initial.task.process = &initial.process;
		initial.task.id = &initial.id;
	}
	if (!*task) {
		kfree(process);
		return NULL;
	}
	list_init(&process->children);
	list_init(&process->tasks);
	process_inherit(process, parent);
	return process;
}

void task_free(struct task *task)
{
	if (task != &initial.task)
		kfree(task);
}

void process_discard(struct process *process, struct task *task)
{
	task_discard(task);
	kfree(process);
}

void process_set_group(struct process *process, struct id *id)
{
	struct id *before = process->group;

	id->uses++;
	process->group = id;
	if (before) {
		list_del(&process->group_link);
		id_put(before);
	}
	list_add_tail(&process->group_link, &id->group);
}

void process_set_session(struct process *process, struct id *id)
{
	struct id *before = process->session;

	id->uses++;
	process->session = id;
	if (before)
		id_put(before);
}

void process_reap(struct process *process)
{
	list_del(&process->sibling);
	list_del(&process->group_link);
	process->id->process = NULL;
	id_put(process->group);
	id_put(process->session);
	id_put(process->id);
	kfree(process);
}
