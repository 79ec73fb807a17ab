#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/arena.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/process.h"
#include "core/text.h"

static ProcessResult run_shell(Arena *arena, const char *script, ProcessOptions options)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    ProcessResult result = {0};
    Err err = {0};
    options.argv = argv;
    assert_true(process_run(arena, &options, &result, &err));
    return result;
}

static void output_and_error_come_back_with_the_exit_status(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(arena, "echo out; echo wrong >&2; exit 7",
                                           (ProcessOptions){0});
    assert_int_equal(result.exit_status, 7);
    assert_string_equal(result.output, "out\nwrong\n");
    assert_false(result.is_timeout);
}

static void error_can_be_kept_apart_and_the_limit_be_another(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(
        arena, "echo out; echo wrong >&2; echo more; echo still >&2; exit 7",
        (ProcessOptions){.is_error_apart = true, .output_limit_bytes = 6});
    assert_int_equal(result.exit_status, 7);
    assert_string_equal(result.output, "out\nmo");
    assert_string_equal(result.errors, "wrong\nstill\n");
    /* Neither stream may block the program while the other is full. */
    const ProcessResult much = run_shell(
        arena, "head -c 2000000 /dev/zero | tr '\\0' y >&2; head -c 2000000 /dev/zero | tr '\\0' x",
        (ProcessOptions){.is_error_apart = true, .output_limit_bytes = 3000000});
    assert_int_equal(strlen(much.output), 2000000);
    assert_int_equal(strlen(much.errors), LIMIT_CHILD_OUTPUT_BYTES);
}

static void a_signal_gives_128_and_its_number(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    assert_int_equal(run_shell(arena, "kill -TERM $$", (ProcessOptions){0}).exit_status,
                     128 + SIGTERM);
}

static void an_end_that_nobody_tells_is_an_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *const argv[] = {"/bin/sh", "-c", "exit 7", NULL};
    ProcessResult result = {0};
    Err err = {0};
    signal(SIGCHLD, SIG_IGN);
    const bool is_run = process_run(arena, &(ProcessOptions){.argv = argv}, &result, &err);
    signal(SIGCHLD, SIG_DFL);
    assert_false(is_run);
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "cannot learn how \"/bin/sh\" ended"));
}

static void input_of_any_size_reaches_the_program(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    enum { SIZE = 600000 };
    char *input = arena_alloc(arena, SIZE + 1);
    memset(input, 'x', SIZE);
    const ProcessResult result = run_shell(arena, "cat", (ProcessOptions){.input = input});
    assert_string_equal(result.output, input);
    assert_string_equal(run_shell(arena, "cat", (ProcessOptions){0}).output, "");
}

static void input_can_be_opened_by_name(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(arena, "cat /dev/stdin; cat /dev/stdin",
                                           (ProcessOptions){.input = "twice "});
    assert_string_equal(result.output, "twice twice ");
}

static void a_program_that_does_not_read_its_input_does_no_harm(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    enum { SIZE = 600000 };
    char *input = arena_alloc(arena, SIZE + 1);
    memset(input, 'x', SIZE);
    assert_int_equal(run_shell(arena, "exit 3", (ProcessOptions){.input = input}).exit_status, 3);
}

static void output_is_cut_at_the_limit(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(arena, "head -c 2000000 /dev/zero | tr '\\0' y",
                                           (ProcessOptions){0});
    assert_int_equal(result.exit_status, 0);
    assert_int_equal(strlen(result.output), LIMIT_CHILD_OUTPUT_BYTES);
}

/* The program was killed, and so was the child whose number it printed: dead at once, but its entry
 * may wait for init to collect it. */
static void assert_group_is_dead(Arena *arena, const ProcessResult *result)
{
    assert_int_equal(result->exit_status, 128 + SIGKILL);
    const pid_t grandchild = text_leading_int(result->output);
    assert_true(grandchild > 1);
    for (int i = 0; i < 100 && kill(grandchild, 0) == 0; i++) {
        const ProcessResult look = run_shell(
            arena, arena_printf(arena, "cat /proc/%d/stat", (int)grandchild), (ProcessOptions){0});
        if (strstr(look.output, ") Z ") != NULL) {
            break;
        }
        clock_sleep_ms(20);
        assert_true(i < 99);
    }
}

static void the_time_limit_kills_the_whole_group(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(arena, "sleep 1000 & echo $!; wait",
                                           (ProcessOptions){.timeout_ms = 500});
    assert_true(result.is_timeout);
    assert_group_is_dead(arena, &result);
}

/* From when the program has come so far that it removed the file. */
static bool is_removed(void *path)
{
    return access(path, F_OK) != 0;
}

static void who_is_not_wanted_any_more_is_killed_with_its_group(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char path[] = "/tmp/tenantry-unwanted-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const ProcessResult result = run_shell(
        arena, arena_printf(arena, "sleep 1000 & echo $!; rm %s; wait", path),
        (ProcessOptions){.is_unwanted = is_removed, .context = path});
    assert_true(result.is_unwanted);
    assert_false(result.is_timeout);
    assert_group_is_dead(arena, &result);
    const ProcessResult quick = run_shell(
        arena, "exit 3", (ProcessOptions){.is_unwanted = is_removed, .context = "/"});
    assert_false(quick.is_unwanted);
    assert_int_equal(quick.exit_status, 3);
}

/* Several at once: one of them always has more when we look. */
#define ENDLESS "cat /dev/zero"

static void the_time_limit_holds_for_who_writes_without_end_too(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(
        arena, ENDLESS " & " ENDLESS " & " ENDLESS " & " ENDLESS " & " ENDLESS,
        (ProcessOptions){.timeout_ms = 500});
    assert_true(result.is_timeout);
    assert_int_equal(result.exit_status, 128 + SIGKILL);
}

static void a_daemon_that_writes_without_end_does_not_hold_us_up(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(
        arena, "for i in 1 2 3 4 5; do setsid " ENDLESS " & done; sleep 0.2",
        (ProcessOptions){.timeout_ms = 60000});
    assert_false(result.is_timeout); /* they end when nobody reads any more */
    assert_int_equal(result.exit_status, 0);
}

static void a_daemon_that_keeps_the_output_open_does_not_hold_us_up(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const ProcessResult result = run_shell(arena, "setsid sleep 1000 & echo $!",
                                           (ProcessOptions){.timeout_ms = 60000});
    assert_false(result.is_timeout);
    const pid_t daemon_pid = text_leading_int(result.output);
    assert_int_equal(kill(daemon_pid, 0), 0); /* it lives on */
    assert_int_equal(kill(daemon_pid, SIGKILL), 0);
}

static void no_other_descriptor_reaches_the_program(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const int fd = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
    assert_true(fd > 2);
    const ProcessResult result = run_shell(arena, "ls /proc/$$/fd", (ProcessOptions){0});
    close(fd);
    assert_string_equal(result.output, "0\n1\n2\n");
}

static void the_environment_is_minimal(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    setenv("TENANTRY_TEST_LEAK", "1", 1);
    const char *const env[] = {"EXTRA=some text", NULL};
    const ProcessResult result = run_shell(arena,
                                           "echo \"$TENANTRY_TEST_LEAK|$EXTRA|$LC_ALL|$TZ\"; pwd",
                                           (ProcessOptions){.env = env, .directory = "/usr"});
    assert_string_equal(result.output, "|some text|C|UTC\n/usr\n");
}

static void it_has_a_session_of_its_own_and_default_signals(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    signal(SIGPIPE, SIG_IGN);
    const ProcessResult result = run_shell(
        arena, "test $(cut -d' ' -f6 /proc/$$/stat) = $$ && grep SigIgn /proc/$$/status",
        (ProcessOptions){0});
    signal(SIGPIPE, SIG_DFL);
    assert_int_equal(strncmp(result.output, "SigIgn:\t", 8), 0);
    const unsigned long long ignored = strtoull(result.output + 8, NULL, 16);
    /* Below SIGRTMIN glibc keeps signals 32 and 33 to itself and refuses to set them: whoever
     * started this test may have left those ignored. */
    const unsigned long long of_libc = 3ULL << 31;
    assert_true((ignored & ~of_libc) == 0);
}

static void a_program_that_is_not_there_is_named(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *const argv[] = {"/nowhere/initdb", NULL};
    ProcessResult result;
    Err err = {0};
    assert_false(process_run(arena, &(ProcessOptions){.argv = argv}, &result, &err));
    assert_int_equal(err.code, ERR_SERVER_BINARY_MISSING);
    assert_string_equal(err.message, "program \"/nowhere/initdb\" is not there");
}

static void a_file_that_is_no_program_and_a_missing_folder_are_io_errors(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *const no_program[] = {"/etc/passwd", NULL};
    ProcessResult result;
    Err err = {0};
    assert_false(process_run(arena, &(ProcessOptions){.argv = no_program}, &result, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.message, "cannot start \"/etc/passwd\": Permission denied");
    const char *const argv[] = {"/bin/true", NULL};
    assert_false(process_run(arena, &(ProcessOptions){.argv = argv, .directory = "/nowhere"},
                             &result, &err));
    assert_string_equal(err.message, "cannot enter the working directory of \"/bin/true\": No such "
                                     "file or directory");
}

static void another_user_comes_with_its_groups(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip(); /* only root can become another user */
    }
    scoped_arena Arena *arena = arena_new();
    ProcessUser user = {0};
    Err err = {0};
    assert_true(process_find_user(arena, "nobody", &user, &err));
    const ProcessResult result = run_shell(
        arena, "id -u; id -G; grep -q 'Uid:.*\\b0\\b' /proc/$$/status && echo root",
        (ProcessOptions){.user = user});
    assert_string_equal(result.output,
                        arena_printf(arena, "%u\n%u\n", (unsigned)user.uid, (unsigned)user.gid));
}

static bool file_has(const char *path, const char *expected)
{
    char text[256] = "";
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0) {
        close(fd);
    }
    return length > 0 && strcmp(text, expected) == 0;
}

static void a_daemon_goes_on_and_writes_its_log(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    char path[] = "/tmp/tenantry-daemon-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const char *const argv[] = {"/bin/sh", "-c", "echo $WORD $PWD; echo wrong >&2", NULL};
    const char *const env[] = {"WORD=here", NULL};
    const DaemonOptions options = {.argv = argv, .env = env, .log_path = path};
    pid_t pid = 0;
    Err err = {0};
    assert_true(process_start_daemon(arena, &options, &pid, &err));
    assert_true(pid > 1 && pid != getpid());
    enum { TRIES = 1000, PAUSE_MS = 10 };
    for (int i = 0; i < TRIES && !file_has(path, "here /\nwrong\n"); i++) {
        clock_sleep_ms(PAUSE_MS);
    }
    assert_true(file_has(path, "here /\nwrong\n"));
    unlink(path);
}

static void a_daemon_that_cannot_start_is_an_error(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const char *const argv[] = {"/nowhere/at-all", NULL};
    pid_t pid = 0;
    Err err = {0};
    assert_false(process_start_daemon(
        arena, &(DaemonOptions){.argv = argv, .log_path = "/dev/null"}, &pid, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(err.message, "cannot start \"/nowhere/at-all\": No such file or directory");
    assert_false(process_start_daemon(
        arena, &(DaemonOptions){.argv = argv, .log_path = "/nowhere/log"}, &pid, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.message, "/nowhere/log"));
}

static void an_unknown_user_is_named(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    ProcessUser user;
    Err err = {0};
    assert_false(process_find_user(arena, "no-such-user-here", &user, &err));
    assert_int_equal(err.code, ERR_CONFIG_INVALID);
    assert_string_equal(err.message, "there is no user \"no-such-user-here\" on this machine");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_error_come_back_with_the_exit_status),
        cmocka_unit_test(error_can_be_kept_apart_and_the_limit_be_another),
        cmocka_unit_test(a_signal_gives_128_and_its_number),
        cmocka_unit_test(an_end_that_nobody_tells_is_an_error),
        cmocka_unit_test(input_of_any_size_reaches_the_program),
        cmocka_unit_test(input_can_be_opened_by_name),
        cmocka_unit_test(a_program_that_does_not_read_its_input_does_no_harm),
        cmocka_unit_test(output_is_cut_at_the_limit),
        cmocka_unit_test(the_time_limit_kills_the_whole_group),
        cmocka_unit_test(who_is_not_wanted_any_more_is_killed_with_its_group),
        cmocka_unit_test(the_time_limit_holds_for_who_writes_without_end_too),
        cmocka_unit_test(a_daemon_that_writes_without_end_does_not_hold_us_up),
        cmocka_unit_test(a_daemon_that_keeps_the_output_open_does_not_hold_us_up),
        cmocka_unit_test(no_other_descriptor_reaches_the_program),
        cmocka_unit_test(the_environment_is_minimal),
        cmocka_unit_test(it_has_a_session_of_its_own_and_default_signals),
        cmocka_unit_test(a_program_that_is_not_there_is_named),
        cmocka_unit_test(a_file_that_is_no_program_and_a_missing_folder_are_io_errors),
        cmocka_unit_test(another_user_comes_with_its_groups),
        cmocka_unit_test(a_daemon_goes_on_and_writes_its_log),
        cmocka_unit_test(a_daemon_that_cannot_start_is_an_error),
        cmocka_unit_test(an_unknown_user_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
