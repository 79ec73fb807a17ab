/* Arenas: memory that is freed in one call.
 *
 * One arena per request, job step or configuration load. Running out of memory aborts the process;
 * whatever a client, a file or a query sizes is held to a named limit (core/limits.h) before it
 * reaches an arena. Not thread-safe: one thread, one arena. */
#ifndef TENANTRY_CORE_ARENA_H
#define TENANTRY_CORE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);

/* Frees the arena and all that it gave. NULL is allowed. Returns NULL. */
Arena *arena_free(Arena *arena);

/* Zeroed memory, aligned for any type. size_bytes may be 0. Never NULL. */
void *arena_alloc(Arena *arena, size_t size_bytes) __attribute__((malloc, returns_nonnull));

/* Zeroed memory for count elements; aborts when the product overflows. */
void *arena_alloc_array(Arena *arena, size_t count, size_t element_bytes)
    __attribute__((malloc, returns_nonnull));

/* A copy of text; NULL gives NULL. */
char *arena_strdup(Arena *arena, const char *text);

/* A copy of length bytes, with a NUL behind them. */
char *arena_strndup(Arena *arena, const char *bytes, size_t length);

char *arena_printf(Arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
char *arena_vprintf(Arena *arena, const char *format, va_list args)
    __attribute__((format(printf, 2, 0), returns_nonnull));

static inline void arena_free_scoped(Arena **arena)
{
    *arena = arena_free(*arena);
}

/* scoped_arena Arena *arena = arena_new(); is freed at the end of its block. */
#define scoped_arena __attribute__((cleanup(arena_free_scoped)))

#define ARENA_NEW(arena, Type) ((Type *)arena_alloc((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count) ((Type *)arena_alloc_array((arena), (count), sizeof(Type)))

#endif
