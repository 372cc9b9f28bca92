/* The terminal of this process. */
#ifndef CBA_TERMINAL_H
#define CBA_TERMINAL_H

#include "secret/secret.h"

enum cba_prompt_outcome {
    CBA_PROMPT_ANSWERED,
    CBA_PROMPT_NO_TERMINAL, /* the process has none */
    CBA_PROMPT_BACKGROUND,  /* another process group has the terminal */
    CBA_PROMPT_CANCELLED,   /* ^C, ^D, ^Z, or a signal that ends or stops programs */
    CBA_PROMPT_NO_MEMORY,
};

/* Asks for a line on the process's terminal, whatever its standard input is, without echo. When it
 * is answered, `status` says whether `secret` accepted the line. ^C and ^D cancel. The terminal's
 * settings are restored in every case: a signal that would end or stop the process waits for that,
 * a tenth of a second at most. A process in the background is never stopped by this. */
enum cba_prompt_outcome cba_terminal_prompt(const char *question, struct cba_secret *secret,
                                            enum cba_secret_status *status);

#endif
