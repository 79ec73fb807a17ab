/* Threads that try logins. Their work is waiting: for PBKDF2 of a login, and for a back end that
 * tries a hundred statements; two of them keep two processors busy. Of one tenant the application's
 * login takes longest, and a third thread opens the session that it needs of a neighbour. */
#include <pthread.h>
#include <string.h>

#include "isolation/probe_parts.h"

typedef enum Go { GO_WAIT, GO_TRY, GO_LEAVE } Go;
typedef enum Holder { HOLDER_SHUT, HOLDER_OPENING, HOLDER_OPENED } Holder;

/* A turn in the crew's hands. */
typedef struct Given {
    ProbeTurn *turn;
    Go go;
    size_t taken; /* tasks: its logins, then the first neighbour's holder */
    size_t done;
    Holder holder;
    PgConn *holder_conn; /* NULL: not open, or whoever needs it has it; holder_err says why not */
    Err holder_err;
} Given;

/* What a thread takes. */
typedef struct Task {
    ProbeTurn *turn;
    ProbeLogin *login; /* NULL: the holder is to be opened */
} Task;

struct ProbeCrew {
    pthread_mutex_t lock; /* of all that follows, but threads */
    pthread_cond_t changed;
    Given turns[PROBE_MOST_TURNS]; /* oldest first */
    size_t count;
    bool is_over;
    pthread_t threads[PROBE_SESSIONS];
    size_t thread_count;
};

static Given *find_given(ProbeCrew *crew, const ProbeTurn *turn)
{
    size_t i = 0;
    while (crew->turns[i].turn != turn) {
        i++;
    }
    return &crew->turns[i];
}

/* A crew of one opens no holder ahead: it tries one thing at a time. */
static size_t count_tasks(const ProbeCrew *crew, const ProbeTurn *turn)
{
    return turn->login_count + (turn->login_count > 0 && crew->thread_count > 1);
}

/* The next task that nobody has taken, if there is one; the crew is locked. */
static bool find_task(ProbeCrew *crew, Task *ret_task)
{
    for (size_t i = 0; i < crew->count; i++) {
        Given *given = &crew->turns[i];
        ProbeTurn *turn = given->turn;
        if (given->taken < count_tasks(crew, turn)) {
            const size_t number = given->taken++;
            *ret_task = (Task){.turn = turn,
                               .login = number < turn->login_count ? &turn->logins[number] : NULL};
            return true;
        }
    }
    return false;
}

/* Waits for one; false at the end. */
static bool take_task(ProbeCrew *crew, Task *ret_task)
{
    pthread_mutex_lock(&crew->lock);
    bool is_found = find_task(crew, ret_task);
    while (!is_found && !crew->is_over) {
        pthread_cond_wait(&crew->changed, &crew->lock);
        is_found = find_task(crew, ret_task);
    }
    pthread_mutex_unlock(&crew->lock);
    return is_found;
}

/* Whether the login shall try: what it tries is looked for while it connects. */
static bool wait_for_go(ProbeCrew *crew, const ProbeTurn *turn)
{
    pthread_mutex_lock(&crew->lock);
    while (find_given(crew, turn)->go == GO_WAIT) {
        pthread_cond_wait(&crew->changed, &crew->lock);
    }
    const bool is_good = find_given(crew, turn)->go == GO_TRY;
    pthread_mutex_unlock(&crew->lock);
    return is_good;
}

static void finish_task(ProbeCrew *crew, const ProbeTurn *turn)
{
    pthread_mutex_lock(&crew->lock);
    find_given(crew, turn)->done++;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

/* The login is the waiting thread's once its task is finished. */
static void do_login(ProbeCrew *crew, const ProbeTurn *turn, ProbeLogin *login)
{
    PgConn *conn = NULL;
    const bool is_open = probe_open_login(login, &conn, &login->err);
    const bool is_go = wait_for_go(crew, turn);
    login->is_good = is_open && (!is_go || probe_try_login(login, conn, &login->err));
    pg_close(conn);
}

/* --- the first neighbour's holder ------------------------------------------------------------- */

/* Whether the caller is the one who opens it. */
static bool claim_holder(ProbeCrew *crew, const ProbeTurn *turn)
{
    pthread_mutex_lock(&crew->lock);
    Given *given = find_given(crew, turn);
    const bool is_first = given->holder == HOLDER_SHUT;
    given->holder = is_first ? HOLDER_OPENING : given->holder;
    pthread_mutex_unlock(&crew->lock);
    return is_first;
}

static void open_holder_ahead(ProbeCrew *crew, const ProbeTurn *turn)
{
    Err err = {0};
    PgConn *conn = NULL;
    if (!wait_for_go(crew, turn) || turn->neighbours.count == 0 || turn->holders[0] == NULL ||
        !claim_holder(crew, turn)) {
        return;
    }
    (void)probe_open_holder(turn, 0, &conn, &err);
    pthread_mutex_lock(&crew->lock);
    Given *given = find_given(crew, turn);
    given->holder = HOLDER_OPENED;
    given->holder_conn = conn;
    given->holder_err = err;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

bool probe_crew_take_holder(ProbeCrew *crew, const ProbeTurn *turn, PgConn **ret_conn, Err *err)
{
    if (claim_holder(crew, turn)) {
        return probe_open_holder(turn, 0, ret_conn, err);
    }
    pthread_mutex_lock(&crew->lock);
    while (find_given(crew, turn)->holder == HOLDER_OPENING) {
        pthread_cond_wait(&crew->changed, &crew->lock);
    }
    Given *given = find_given(crew, turn);
    *ret_conn = given->holder_conn;
    *err = given->holder_err;
    given->holder_conn = NULL;
    pthread_mutex_unlock(&crew->lock);
    return *ret_conn != NULL;
}

/* --- the crew --------------------------------------------------------------------------------- */

static void *work(void *context)
{
    ProbeCrew *crew = context;
    for (Task task; take_task(crew, &task); finish_task(crew, task.turn)) {
        if (task.login != NULL) {
            do_login(crew, task.turn, task.login);
        } else {
            open_holder_ahead(crew, task.turn);
        }
    }
    return NULL;
}

bool probe_crew_start(Arena *arena, size_t threads, ProbeCrew **ret_crew, Err *err)
{
    ProbeCrew *crew = ARENA_NEW(arena, ProbeCrew);
    int problem = 0;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->changed, NULL);
    while (problem == 0 && crew->thread_count < threads) {
        problem = pthread_create(&crew->threads[crew->thread_count], NULL, work, crew);
        crew->thread_count += problem == 0;
    }
    if (crew->thread_count == 0) { /* fewer than wanted do the same, later */
        probe_crew_stop(crew);
        return ERR_SET(err, ERR_INTERNAL, NULL, "cannot start a thread for the probes: %s",
                       strerror(problem));
    }
    *ret_crew = crew;
    return true;
}

void probe_crew_add(ProbeCrew *crew, ProbeTurn *turn)
{
    pthread_mutex_lock(&crew->lock);
    crew->turns[crew->count++] = (Given){.turn = turn};
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

void probe_crew_go(ProbeCrew *crew, ProbeTurn *turn, bool is_good)
{
    pthread_mutex_lock(&crew->lock);
    find_given(crew, turn)->go = is_good ? GO_TRY : GO_LEAVE;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

ProbeTurn *probe_crew_wait(ProbeCrew *crew)
{
    ProbeTurn *turn = NULL;
    pthread_mutex_lock(&crew->lock);
    if (crew->count > 0) {
        turn = crew->turns[0].turn;
        while (crew->turns[0].done < count_tasks(crew, turn)) {
            pthread_cond_wait(&crew->changed, &crew->lock);
        }
        pg_close(crew->turns[0].holder_conn); /* nobody needed it */
        crew->count--;
        memmove(&crew->turns[0], &crew->turns[1], crew->count * sizeof *crew->turns);
    }
    pthread_mutex_unlock(&crew->lock);
    return turn;
}

void probe_crew_stop(ProbeCrew *crew)
{
    pthread_mutex_lock(&crew->lock);
    crew->is_over = true;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
    for (size_t i = 0; i < crew->thread_count; i++) {
        pthread_join(crew->threads[i], NULL);
    }
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
}
