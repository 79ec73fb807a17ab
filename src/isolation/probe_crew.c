/* Threads that try logins. Their work is waiting: for PBKDF2 of a login, and for a back end that
 * tries a hundred statements; two of them keep two processors busy. */
#include <pthread.h>
#include <string.h>

#include "isolation/probe_parts.h"

typedef enum Go { GO_WAIT, GO_TRY, GO_LEAVE } Go;

/* A turn in the crew's hands. */
typedef struct Given {
    ProbeTurn *turn;
    Go go;
    size_t taken; /* logins */
    size_t done;
} Given;

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

/* The next login that nobody has taken; NULL at the end. */
static ProbeLogin *take_login(ProbeCrew *crew)
{
    ProbeLogin *login = NULL;
    pthread_mutex_lock(&crew->lock);
    while (login == NULL) {
        for (size_t i = 0; i < crew->count && login == NULL; i++) {
            Given *given = &crew->turns[i];
            if (given->taken < given->turn->login_count) {
                login = &given->turn->logins[given->taken++];
            }
        }
        if (login == NULL && crew->is_over) {
            break;
        }
        if (login == NULL) {
            pthread_cond_wait(&crew->changed, &crew->lock);
        }
    }
    pthread_mutex_unlock(&crew->lock);
    return login;
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

static void finish_login(ProbeCrew *crew, const ProbeTurn *turn)
{
    pthread_mutex_lock(&crew->lock);
    find_given(crew, turn)->done++;
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

static void *work(void *context)
{
    ProbeCrew *crew = context;
    for (ProbeLogin *login = take_login(crew); login != NULL; login = take_login(crew)) {
        PgConn *conn = NULL;
        const ProbeTurn *turn = login->turn; /* the login is the waiting thread's, once done */
        const bool is_open = probe_open_login(login, &conn, &login->err);
        const bool is_go = wait_for_go(crew, turn);
        login->is_good = is_open && (!is_go || probe_try_login(login, conn, &login->err));
        pg_close(conn);
        finish_login(crew, turn);
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
        while (crew->turns[0].done < turn->login_count) {
            pthread_cond_wait(&crew->changed, &crew->lock);
        }
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
