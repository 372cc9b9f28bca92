/* What a command needs of a terminal and of files, the three that every program is given among
 * them. */
#ifndef CBA_TERMINAL_H
#define CBA_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#include "secret/secret.h"

enum cba_prompt_outcome {
    CBA_PROMPT_ANSWERED,
    CBA_PROMPT_NO_TERMINAL, /* the process has none */
    CBA_PROMPT_BACKGROUND,  /* the terminal is another process group's at the moment */
    CBA_PROMPT_CANCELLED,   /* ^C, ^D, ^Z, or a signal that ends or stops programs */
    CBA_PROMPT_NO_MEMORY,
};

/* Asks for a line on the process's terminal, whatever its standard input is, without echo.
 * Answered: `status` says whether `secret` took it. ^C cancels, and so does ^D. The terminal's
 * settings are as before in every case: a signal that would end or stop the process waits until
 * they are, a tenth of a second at most. A process in the background is never stopped by this. */
enum cba_prompt_outcome cba_terminal_prompt(const char *question, struct cba_secret *secret,
                                            enum cba_secret_status *status);

bool cba_is_terminal(int fd);

/* Makes sure that descriptors 0 to 2 are taken: a file opened later must not become the standard
 * output by accident. One that was closed cannot be written to afterwards. */
void cba_take_standard_files(void);

/* Writes all of it; 0, or the errno that says why not. A reader that is gone is EPIPE, no signal.
 */
int cba_write(int fd, const char *bytes, size_t length);

/* The permission bits of a file, or -1. */
int cba_file_mode(const char *path);

#endif
