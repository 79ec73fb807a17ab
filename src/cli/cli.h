/* The command line: a face of the table of operations, with no logic of its own. */
#ifndef TENANTRY_CLI_CLI_H
#define TENANTRY_CLI_CLI_H

/* Runs one command and returns the exit status. Answers go to standard output, everything else to
 * standard error. */
int cli_main(int argc, const char *const *argv);

#endif
