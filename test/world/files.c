/* The tree of files. */
#define _GNU_SOURCE
#include "inside.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct node *root;
static struct node *pool[64];
static size_t used; /* nodes in the pool; all of them are freed together */
enum { BLOCK = 1024 };

const char *format(const char *fmt, ...)
{
	static char text[16][400];
	static unsigned turn;
	char *s = text[turn++ % LEN(text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s, sizeof text[0], fmt, ap);
	va_end(ap);
	return s;
}

static struct node *new_node(void)
{
	struct node *n;

	if (used / BLOCK == LEN(pool))
		abort();
	if (!pool[used / BLOCK])
		pool[used / BLOCK] = calloc(BLOCK, sizeof *root);
	if (!pool[used / BLOCK])
		abort();
	n = &pool[used / BLOCK][used % BLOCK];
	free(n->text);
	memset(n, 0, sizeof *n);
	n->ino = ++used;
	return n;
}

void files_reset(void)
{
	used = 0;
	root = new_node();
	root->parent = root;
}

void files_text(struct node *n, const void *text, size_t size)
{
	free(n->text);
	n->text = malloc(size + 1);
	if (!n->text)
		abort();
	memcpy(n->text, text, size);
	n->text[size] = '\0';
	n->size = size;
}

static struct node *child_of(const struct node *dir, const char *name, size_t len)
{
	for (struct node *n = dir->hidden ? NULL : dir->child; n; n = n->next)
		if (!strncmp(n->name, name, len) && !n->name[len])
			return n;
	return NULL;
}

/* The rest of a path, from a directory on. */
static struct node *walk(struct node *at, const char *path, bool follow, unsigned depth)
{
	if (*path == '/')
		at = root;
	while (at && *path) {
		size_t len = strcspn(path, "/");
		bool last = !path[len + strspn(path + len, "/")];
		struct node *next = at;

		if (len == 2 && !strncmp(path, "..", 2))
			next = at->parent;
		else if (len && !(len == 1 && *path == '.'))
			next = at->is == DIRECTORY ? child_of(at, path, len) : NULL;
		if (next && next->is == LINK && (!last || follow))
			next = depth < 16 ? walk(at, next->text, true, depth + 1) : NULL;
		at = next;
		path += len + strspn(path + len, "/");
	}
	return at;
}

struct node *files_find(const char *path, bool follow)
{
	return walk(root, path, follow, 0);
}

static bool missing(const char *path)
{
	const char *pattern;

	for (unsigned i = 0; (pattern = fault_value("no", i)); i++)
		if (!fnmatch(pattern, path, 0))
			return true;
	return false;
}

/* Makes a file, and the directories that lead to it. An old one is replaced. */
struct node *files_make(const char *path, int is, const char *text)
{
	struct node *at = root, *next;

	if (missing(path))
		return NULL;
	for (path += strspn(path, "/"); *path;) {
		size_t len = strcspn(path, "/");
		bool last = !path[len];
		struct node **p;

		next = child_of(at, path, len);
		if (next && next->is == LINK && !last)
			next = walk(at, next->text, true, 0);
		if (next && last && is != DIRECTORY) {
			files_remove(next);
			next = NULL;
		}
		if (!next) {
			next = new_node();
			snprintf(next->name, sizeof next->name, "%.*s", (int)len, path);
			next->parent = at;
			next->is = last ? (unsigned)is : DIRECTORY;
			for (p = &at->child; *p; p = &(*p)->next)
				continue;
			*p = next;
		}
		at = next;
		path += len + strspn(path + len, "/");
	}
	if (text)
		files_text(at, text, strlen(text));
	return at;
}

static void mark_gone(struct node *n)
{
	n->gone = true;
	for (struct node *c = n->child; c; c = c->next)
		mark_gone(c);
}

/* With all that is in it. Who has it open still has it. */
void files_remove(struct node *n)
{
	if (!n || n->gone)
		return;
	for (struct node **p = &n->parent->child; *p; p = &(*p)->next)
		if (*p == n) {
			*p = n->next;
			break;
		}
	mark_gone(n);
}

const char *files_path(const struct node *n)
{
	static char path[400];
	char *p = path + sizeof path - 1;

	for (*p = '\0'; n != root; n = n->parent) {
		size_t len = strlen(n->name);

		p -= len + 1;
		if (p < path)
			abort();
		p[0] = '/';
		memcpy(p + 1, n->name, len);
	}
	return *p ? p : "/";
}

/* Does this (open, read, write) of this file never come back? */
bool files_hang(const char *path, const char *how)
{
	const char *pattern;
	char word[20];

	snprintf(word, sizeof word, "hang-%s", how);
	for (unsigned i = 0; (pattern = fault_value("hang", i)); i++)
		if (!fnmatch(pattern, path, 0))
			return true;
	for (unsigned i = 0; (pattern = fault_value(word, i)); i++)
		if (!fnmatch(pattern, path, 0))
			return true;
	return false;
}

const char *world_text(const char *file)
{
	struct node *n = files_find(file, true);

	return n && n->is == TEXT ? n->text : NULL;
}

void world_write(const char *file, const char *text)
{
	files_make(file, TEXT, text);
}
