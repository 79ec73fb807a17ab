#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "core/duration.h"
#include "core/file.h"

static const char see_options[] = "see \"tenantry docs options\" for what each option takes";

/* The environment of the test that runs: pairs of name and value. */
static const char *environment[8];

static const char *environ_get(const char *name)
{
    for (size_t i = 0; environment[i] != NULL; i += 2) {
        if (strcmp(environment[i], name) == 0) {
            return environment[i + 1];
        }
    }
    return NULL;
}

static char folder[] = "/tmp/tenantry-config-XXXXXX";
static char original[4096];

static int enter_folder(void **state)
{
    (void)state;
    return getcwd(original, sizeof original) == NULL || mkdtemp(folder) == NULL ||
           chdir(folder) != 0;
}

static int leave_folder(void **state)
{
    (void)state;
    Err err;
    return chdir(original) != 0 || !file_remove_tree(folder, &err);
}

static int clear(void **state)
{
    (void)state;
    memset(environment, 0, sizeof environment);
    unlink("tenantry.yaml");
    return 0;
}

static void write_file(const char *path, const char *text)
{
    Err err;
    assert_true(file_write_atomic(path, text, strlen(text), 0600, &err));
}

static bool load(Arena *arena, const ConfigFlag *flags, size_t count, const Config **ret_config,
                 Err *err)
{
    return config_load(arena, flags, count, environ_get, ret_config, err);
}

static void assert_refused(const ConfigFlag *flags, size_t count, const char *message,
                           const char *hint)
{
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err = {0};
    assert_false(load(arena, flags, count, &config, &err));
    assert_int_equal(err.code, ERR_CONFIG_INVALID);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint, hint);
}

static void assert_origin(const Config *config, OptionId id, OptionOrigin origin,
                          const char *detail)
{
    const char *text = NULL;
    assert_int_equal(config_origin(config, id, &text), origin);
    assert_string_equal(text, detail);
}

static void without_anything_the_defaults_hold(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, NULL, 0, &config, &err));
    assert_int_equal(config_int(config, OPT_CONNECT_TIMEOUT), 5000);
    assert_string_equal(config_text(config, OPT_COLOR), "auto");
    assert_false(config_bool(config, OPT_JSON));
    assert_null(config_file(config));
    assert_false(config_is_given(config, OPT_DATA_DIR));
    assert_origin(config, OPT_RETRIES, ORIGIN_DEFAULT, "default");
}

static void flag_beats_environment_beats_file_beats_default(void **state)
{
    (void)state;
    write_file("tenantry.yaml", "port: 1\nretries: 1\nlock-timeout: 1s\n");
    environment[0] = "TENANTRY_PORT";
    environment[1] = "2";
    environment[2] = "TENANTRY_RETRIES";
    environment[3] = "2";
    const ConfigFlag flags[] = {{OPT_LISTEN_PORT, "3"}, {OPT_LISTEN_PORT, "4"}};
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, flags, 2, &config, &err));
    assert_int_equal(config_int(config, OPT_LISTEN_PORT), 4);
    assert_int_equal(config_int(config, OPT_RETRIES), 2);
    assert_int_equal(config_int(config, OPT_LOCK_TIMEOUT), 1000);
    assert_origin(config, OPT_LISTEN_PORT, ORIGIN_FLAG, "flag --port");
    assert_origin(config, OPT_RETRIES, ORIGIN_ENVIRONMENT, "environment TENANTRY_RETRIES");
    assert_origin(config, OPT_LOCK_TIMEOUT, ORIGIN_FILE, "file ./tenantry.yaml:3");
    assert_string_equal(config_file(config), "./tenantry.yaml");
}

static void an_empty_variable_counts_as_unset(void **state)
{
    (void)state;
    environment[0] = "TENANTRY_PORT";
    environment[1] = "";
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, NULL, 0, &config, &err));
    assert_origin(config, OPT_LISTEN_PORT, ORIGIN_DEFAULT, "default");
}

static void a_value_out_of_range_is_refused_wherever_it_comes_from(void **state)
{
    (void)state;
    const ConfigFlag flag = {OPT_LISTEN_PORT, "65536"};
    assert_refused(&flag, 1, "flag --port: \"65536\" is not a whole number from 0 to 65535",
                   see_options);
    environment[0] = "TENANTRY_LOCK_TIMEOUT";
    environment[1] = "1ms";
    assert_refused(NULL, 0,
                   "environment TENANTRY_LOCK_TIMEOUT: \"1ms\" is not a duration from 10ms to 1h",
                   DURATION_HINT);
    environment[0] = NULL;
    write_file("tenantry.yaml", "# colours\ncolor: blue\n");
    assert_refused(NULL, 0,
                   "option \"color\": file ./tenantry.yaml:2: \"blue\" is not one of "
                   "auto|always|never",
                   see_options);
}

static void an_empty_flag_is_refused(void **state)
{
    (void)state;
    const ConfigFlag flag = {OPT_DATABASE_URL, ""};
    assert_refused(&flag, 1, "flag --database-url: \"\" is not a text of at most 4096 bytes",
                   see_options);
}

static void a_secret_comes_from_the_environment_alone(void **state)
{
    (void)state;
    const ConfigFlag flag = {OPT_MASTER_KEY, "0123"};
    assert_refused(&flag, 1,
                   "flag --master-key is not accepted: other users can see the arguments of a "
                   "process",
                   "set it in the environment, or use --master-key-file");
    write_file("tenantry.yaml", "master-key: \"0123\"\n");
    assert_refused(NULL, 0,
                   "./tenantry.yaml:1: option \"master-key\" is a secret and is not accepted in a "
                   "file",
                   "set it in the environment as TENANTRY_MASTER_KEY");
    unlink("tenantry.yaml");
    environment[0] = "TENANTRY_MASTER_KEY";
    environment[1] = "0123\n4567\n"; /* two lines, while the key is rotated */
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, NULL, 0, &config, &err));
    assert_string_equal(config_text(config, OPT_MASTER_KEY), "0123\n4567\n");
    char too_long[4098];
    memset(too_long, 'a', sizeof too_long);
    too_long[sizeof too_long - 1] = '\0';
    environment[1] = too_long;
    assert_refused(NULL, 0,
                   "environment TENANTRY_MASTER_KEY: the value is not a text of at most 4096 bytes",
                   see_options);
}

static void a_file_that_is_not_a_map_of_options_is_refused(void **state)
{
    (void)state;
    static const char form[] = "write one \"name: value\" in each line, such as \"port: 5499\"";
    write_file("tenantry.yaml", "- a\n");
    assert_refused(NULL, 0,
                   "./tenantry.yaml:1: a configuration file is a map of option names and values",
                   form);
    write_file("tenantry.yaml", "port: [1, 2]\n");
    assert_refused(NULL, 0, "./tenantry.yaml:1: option \"port\" is one value, not a list or a map",
                   form);
    write_file("tenantry.yaml", "config: x\n");
    assert_refused(NULL, 0,
                   "./tenantry.yaml:1: option \"config\" cannot be set in a configuration file",
                   "name one file, with --config or TENANTRY_CONFIG");
}

static void an_unknown_option_in_a_file_is_refused_with_its_line(void **state)
{
    (void)state;
    write_file("tenantry.yaml", "json: false\nprot: 1\n");
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err = {0};
    assert_false(load(arena, NULL, 0, &config, &err));
    assert_int_equal(err.code, ERR_CONFIG_INVALID);
    assert_non_null(strstr(err.message, "./tenantry.yaml:2"));
    assert_non_null(strstr(err.message, "prot"));
    write_file("tenantry.yaml", "zzzzzzzzzz: 1\n");
    assert_false(load(arena, NULL, 0, &config, &err));
    assert_non_null(strstr(err.hint, "known keys here: acceptance-days, color, connect-timeout,"));
    assert_null(strstr(err.hint, " config,"));
    assert_null(strstr(err.hint, " master-key,"));
}

static void a_file_that_was_named_must_be_there(void **state)
{
    (void)state;
    const ConfigFlag flag = {OPT_CONFIG, "missing.yaml"};
    assert_refused(&flag, 1,
                   "configuration file: cannot open \"missing.yaml\": No such file or directory",
                   "name a file that this user can read, or leave --config out");
    write_file("named.yaml", "port: 9\n");
    environment[0] = "TENANTRY_CONFIG";
    environment[1] = "named.yaml";
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, NULL, 0, &config, &err));
    assert_int_equal(config_int(config, OPT_LISTEN_PORT), 9);
}

static void no_file_is_read_when_that_was_asked_for(void **state)
{
    (void)state;
    write_file("tenantry.yaml", "port: 9\n");
    environment[0] = "TENANTRY_CONFIG";
    environment[1] = CONFIG_FILE_NONE;
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, NULL, 0, &config, &err));
    assert_false(config_is_given(config, OPT_LISTEN_PORT));
    assert_null(config_file(config));
}

static void a_found_file_that_others_can_write_is_refused(void **state)
{
    (void)state;
    write_file("tenantry.yaml", "port: 9\n");
    assert_int_equal(chmod("tenantry.yaml", 0666), 0);
    assert_refused(NULL, 0, "configuration file: \"./tenantry.yaml\" can be written by every user",
                   "chmod o-w ./tenantry.yaml");
}

static void a_found_file_that_a_group_can_write_is_refused_unless_it_is_the_owners_own(void **state)
{
    (void)state;
    enum { OTHER_GROUP = 65534 };
    if (geteuid() != 0) {
        skip(); /* only root can give a file to a group that he is not in */
    }
    write_file("tenantry.yaml", "port: 9\n");
    assert_int_equal(chmod("tenantry.yaml", 0660), 0);
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, NULL, 0, &config, &err)); /* the group "root" */
    assert_int_equal(config_int(config, OPT_LISTEN_PORT), 9);
    assert_int_equal(chown("tenantry.yaml", 0, OTHER_GROUP), 0);
    assert_refused(NULL, 0, "configuration file: \"./tenantry.yaml\" can be written by a group",
                   "chmod g-w ./tenantry.yaml");
    const ConfigFlag named = {OPT_CONFIG, "tenantry.yaml"};
    assert_true(load(arena, &named, 1, &config, &err));
}

static void a_found_file_of_another_user_is_refused(void **state)
{
    (void)state;
    enum { OTHER_USER = 65534 };
    if (geteuid() != 0) {
        skip();
    }
    write_file("tenantry.yaml", "port: 9\n");
    assert_int_equal(chown("tenantry.yaml", OTHER_USER, 0), 0);
    assert_refused(NULL, 0, "configuration file: \"./tenantry.yaml\" belongs to another user",
                   "if you trust the file, name it with --config");
}

static void the_users_file_is_read_from_home(void **state)
{
    (void)state;
    Err err;
    assert_true(file_make_dir("home/.config/tenantry", 0700, &err));
    write_file("home/.config/tenantry/tenantry.yaml", "retries: 0\n");
    environment[0] = "HOME";
    environment[1] = "home";
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    assert_true(load(arena, NULL, 0, &config, &err));
    assert_int_equal(config_int(config, OPT_RETRIES), 0);
    assert_string_equal(config_file(config), "home/.config/tenantry/tenantry.yaml");
}

static void a_tilde_is_home_wherever_a_path_comes_from(void **state)
{
    (void)state;
    write_file("tenantry.yaml", "master-key-file: ~/key\nsocket-dir: ~/run\n");
    write_file("named.yaml", "port: 9\n");
    const ConfigFlag flags[] = {{OPT_DATA_DIR, "~"}, {OPT_TRUSTED_KEYS, "a~/b"}};
    environment[0] = "TENANTRY_SOCKET_DIR";
    environment[1] = "~/sockets";
    environment[2] = "HOME";
    environment[3] = "/home/ada";
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, flags, 2, &config, &err));
    assert_string_equal(config_text(config, OPT_MASTER_KEY_FILE), "/home/ada/key");
    assert_string_equal(config_text(config, OPT_SOCKET_DIR), "/home/ada/sockets");
    assert_string_equal(config_text(config, OPT_DATA_DIR), "/home/ada");
    assert_string_equal(config_text(config, OPT_TRUSTED_KEYS), "a~/b");
    const ConfigFlag named = {OPT_CONFIG, "~/named.yaml"};
    environment[3] = ".";
    assert_true(load(arena, &named, 1, &config, &err));
    assert_string_equal(config_file(config), "./named.yaml");
    assert_int_equal(config_int(config, OPT_LISTEN_PORT), 9);
}

static void the_home_of_another_user_is_refused(void **state)
{
    (void)state;
    static const char hint[] = "write that folder in full; what is named like this begins with ./";
    const ConfigFlag flag = {OPT_DATA_DIR, "~ada/data"};
    assert_refused(&flag, 1,
                   "flag --data-dir: \"~ada/data\": only ~/ is known, the home of who runs this",
                   hint);
    write_file("tenantry.yaml", "data-dir: ~ada\n");
    assert_refused(NULL, 0,
                   "option \"data-dir\": file ./tenantry.yaml:1: \"~ada\": only ~/ is known, the "
                   "home of who runs this",
                   hint);
}

static void a_relative_path_in_a_file_is_in_its_folder(void **state)
{
    (void)state;
    Err err;
    assert_true(file_make_dir("home/.config/tenantry", 0700, &err));
    write_file("home/.config/tenantry/tenantry.yaml",
               "data-dir: data\ntrusted-keys: ../keys\npg-bin-dir: /usr/lib\n");
    environment[0] = "HOME";
    environment[1] = "home";
    const ConfigFlag flag = {OPT_SOCKET_DIR, "run"};
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    assert_true(load(arena, &flag, 1, &config, &err));
    assert_string_equal(config_text(config, OPT_DATA_DIR), "home/.config/tenantry/data");
    assert_string_equal(config_text(config, OPT_MASTER_KEY_FILE),
                        "home/.config/tenantry/data/master.key");
    assert_string_equal(config_text(config, OPT_TRUSTED_KEYS), "home/.config/tenantry/../keys");
    assert_string_equal(config_text(config, OPT_PG_BIN_DIR), "/usr/lib");
    assert_string_equal(config_text(config, OPT_SOCKET_DIR), "run");
    write_file("named.yaml", "data-dir: \"\"\n");
    const ConfigFlag named = {OPT_CONFIG, "named.yaml"};
    assert_refused(&named, 1,
                   "option \"data-dir\": file named.yaml:1: \"\" is not a path of at most 4095 "
                   "bytes",
                   see_options);
    write_file("named.yaml", "data-dir: data\n");
    assert_true(load(arena, &named, 1, &config, &err));
    assert_string_equal(config_text(config, OPT_DATA_DIR), "data");
}

static void paths_in_the_data_directory_follow_it(void **state)
{
    (void)state;
    const ConfigFlag flags[] = {{OPT_DATA_DIR, "/srv/data"}, {OPT_SOCKET_DIR, "/run/pg"}};
    scoped_arena Arena *arena = arena_new();
    const Config *config = NULL;
    Err err;
    assert_true(load(arena, flags, 2, &config, &err));
    assert_string_equal(config_text(config, OPT_MASTER_KEY_FILE), "/srv/data/master.key");
    assert_origin(config, OPT_MASTER_KEY_FILE, ORIGIN_DEFAULT, "default");
    assert_string_equal(config_text(config, OPT_SOCKET_DIR), "/run/pg");
    assert_true(config_is_given(config, OPT_SOCKET_DIR));
}

static void every_option_has_a_sentence_and_a_default_that_is_allowed(void **state)
{
    (void)state;
    scoped_arena Arena *arena = arena_new();
    for (int id = 0; id < OPTION_COUNT_; id++) {
        const OptionKind *kind = option_kind((OptionId)id);
        assert_int_equal(option_find(kind->name), id);
        assert_int_equal(kind->help[strlen(kind->help) - 1], '.');
        int64_t number = 0;
        Err err;
        assert_true(kind->fallback == NULL ||
                    option_check((OptionId)id, kind->fallback, "default", &number, &err));
    }
    assert_int_equal(option_find("nothing"), -1);
    assert_string_equal(option_env_name(arena, OPT_MASTER_KEY_FILE), "TENANTRY_MASTER_KEY_FILE");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(without_anything_the_defaults_hold, clear),
        cmocka_unit_test_setup(flag_beats_environment_beats_file_beats_default, clear),
        cmocka_unit_test_setup(an_empty_variable_counts_as_unset, clear),
        cmocka_unit_test_setup(a_value_out_of_range_is_refused_wherever_it_comes_from, clear),
        cmocka_unit_test_setup(an_empty_flag_is_refused, clear),
        cmocka_unit_test_setup(a_secret_comes_from_the_environment_alone, clear),
        cmocka_unit_test_setup(a_file_that_is_not_a_map_of_options_is_refused, clear),
        cmocka_unit_test_setup(an_unknown_option_in_a_file_is_refused_with_its_line, clear),
        cmocka_unit_test_setup(a_file_that_was_named_must_be_there, clear),
        cmocka_unit_test_setup(no_file_is_read_when_that_was_asked_for, clear),
        cmocka_unit_test_setup(a_found_file_that_others_can_write_is_refused, clear),
        cmocka_unit_test_setup(
            a_found_file_that_a_group_can_write_is_refused_unless_it_is_the_owners_own, clear),
        cmocka_unit_test_setup(a_found_file_of_another_user_is_refused, clear),
        cmocka_unit_test_setup(the_users_file_is_read_from_home, clear),
        cmocka_unit_test_setup(a_tilde_is_home_wherever_a_path_comes_from, clear),
        cmocka_unit_test_setup(the_home_of_another_user_is_refused, clear),
        cmocka_unit_test_setup(a_relative_path_in_a_file_is_in_its_folder, clear),
        cmocka_unit_test_setup(paths_in_the_data_directory_follow_it, clear),
        cmocka_unit_test_setup(every_option_has_a_sentence_and_a_default_that_is_allowed, clear),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
