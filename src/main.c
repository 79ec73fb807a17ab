#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "core/err.h"
#include "core/process.h"
#include "secret/secret.h"

int main(int argc, char **argv)
{
    Err err;
    signal(SIGCHLD, SIG_DFL); /* ignored by our parent, it would hide how programs end */
    if (!process_open_standard(&err) || !secret_init(&err)) {
        fprintf(stderr, "tenantry: %s\n", err.message);
        return err_kind(err.code)->exit_status;
    }
    return cli_main(argc, (const char *const *)argv);
}
