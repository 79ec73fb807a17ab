#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "core/array.h"
#include "core/stop.h"

static void say(const char *text, size_t length)
{
    const ssize_t ignored = write(STDERR_FILENO, text, length);
    (void)ignored;
}

/* Only what is safe in a signal handler (signal-safety(7)): one write. Work that listens ends
 * cleanly; otherwise, and the second time, the signal is raised again and now kills. */
static void on_signal(int number)
{
    static const char stopping[] =
        "\ntenantry: stopping after what is under way; once more to stop "
        "at once\n";
    static const char dying[] =
        "\ntenantry: interrupted; if a job had begun, it can be finished or taken back:\n"
        "hint: tenantry job list --state interrupted, then tenantry job resume or job cancel\n";
    if (stop_request()) {
        say(stopping, sizeof stopping - 1);
        return;
    }
    say(dying, sizeof dying - 1);
    signal(number, SIG_DFL);
    raise(number);
}

void interrupt_explain(bool is_on)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    struct sigaction action = {.sa_flags = SA_RESTART};
    if (is_on) {
        action.sa_handler = on_signal;
    } else {
        action.sa_handler = SIG_DFL;
    }
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        sigaction(numbers[i], &action, NULL);
    }
}
