#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* Only what is safe in a signal handler (signal-safety(7)): one write, and the signal again, which
 * now kills. */
static void on_signal(int number)
{
    static const char text[] =
        "\ntenantry: interrupted; if a job had begun, it can be finished or taken back:\n"
        "hint: tenantry job list --state interrupted, then tenantry job resume or job cancel\n";
    const ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    raise(number);
}

void interrupt_explain(bool is_on)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_flags = (int)SA_RESETHAND};
    if (is_on) {
        action.sa_handler = on_signal;
    } else {
        action.sa_handler = SIG_DFL;
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaction(numbers[i], &action, NULL);
    }
}
