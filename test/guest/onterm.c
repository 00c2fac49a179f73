/* onterm COMMAND...: runs it at a terminal of its own. Whole lines go to standard output; what
 * it writes over and over in the same line, as swflip does while it waits, goes to standard
 * error. Ends with the command's status. */
#define _GNU_SOURCE
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char line[4096];
static size_t length;

static void put(int fd, const char *bytes, size_t n)
{
	if (write(fd, bytes, n) < 0)
		exit(1);
}

/* The line without its carriage returns and without the order to clear what was there before it. */
static void put_line(void)
{
	char *start = line;

	while (length > 0 && line[length - 1] == '\r')
		length--;
	line[length] = '\0';
	if (*start == '\r')
		start++;
	if (strncmp(start, "\033[K", 3) == 0)
		start += 3;
	strcat(start, "\n");
	put(1, start, strlen(start));
	length = 0;
}

static void take(char c)
{
	if (c == '\n') {
		put_line();
		return;
	}
	if (length > 0 && line[length - 1] == '\r') {
		line[0] = '\r'; /* what was before it is written over */
		length = 1;
	}
	if (length < sizeof line - 2)
		line[length++] = c;
}

int main(int argc, char **argv)
{
	char bytes[512];
	ssize_t n;
	int terminal;
	int status;

	if (argc < 2)
		return 2;
	pid_t child = forkpty(&terminal, NULL, NULL, NULL);
	if (child < 0)
		return 1;
	if (child == 0) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	while ((n = read(terminal, bytes, sizeof bytes)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			take(bytes[i]);
		if (length > 0 && line[0] == '\r')
			put(2, line, length);
	}
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}
