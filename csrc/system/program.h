/* Another program in place of this one. */
#ifndef CBA_PROGRAM_H
#define CBA_PROGRAM_H

/* Sets a variable of the environment, or with NULL takes it away; 0, or an errno. */
int cba_set_variable(const char *name, const char *value);

/* Becomes the program, looked for in PATH unless its name has a slash. Signals that are ignored
 * stay so, as env and nohup have it; handlers end with this program. Returns only when that fails:
 * the errno that says why. */
int cba_become(char *const words[]);

#endif
