/* The whole command line over the test table, for test_program.py. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc, (const char *const *)argv);
}
