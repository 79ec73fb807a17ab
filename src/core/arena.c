#include "core/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024 };

typedef struct Block {
    struct Block *next;
    size_t used;
    size_t capacity;
    max_align_t data[];
} Block;

struct Arena {
    Block *blocks; /* the first one is the one being filled */
};

static void out_of_memory(void)
{
    fputs("tenantry: out of memory\n", stderr);
    abort();
}

static Block *block_new(size_t capacity)
{
    Block *block = calloc(1, sizeof(Block) + capacity);
    if (block == NULL) {
        out_of_memory();
        abort();
    }
    block->capacity = capacity;
    return block;
}

Arena *arena_new(void)
{
    Arena *arena = calloc(1, sizeof *arena);
    if (arena == NULL) {
        out_of_memory();
        abort();
    }
    return arena;
}

Arena *arena_free(Arena *arena)
{
    if (arena != NULL) {
        for (Block *block = arena->blocks; block != NULL;) {
            Block *next = block->next;
            free(block);
            block = next;
        }
        free(arena);
    }
    return NULL;
}

void *arena_alloc(Arena *arena, size_t size_bytes)
{
    if (size_bytes > SIZE_MAX / 2) {
        out_of_memory();
    }
    const size_t align = _Alignof(max_align_t);
    const size_t size = (size_bytes + align - 1) / align * align;
    Block *block = arena->blocks;
    if (block == NULL || block->capacity - block->used < size) {
        block = block_new(size > BLOCK_BYTES / 4 ? size : BLOCK_BYTES);
        /* A large block of its own goes behind the one being filled, so that what is left of that
         * one is not lost. */
        if (size > BLOCK_BYTES / 4 && arena->blocks != NULL) {
            block->next = arena->blocks->next;
            arena->blocks->next = block;
        } else {
            block->next = arena->blocks;
            arena->blocks = block;
        }
    }
    void *memory = (char *)block->data + block->used;
    block->used += size;
    return memory;
}

void *arena_alloc_array(Arena *arena, size_t count, size_t element_bytes)
{
    size_t size = 0;
    if (__builtin_mul_overflow(count, element_bytes, &size)) {
        out_of_memory();
    }
    return arena_alloc(arena, size);
}

char *arena_strndup(Arena *arena, const char *bytes, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

char *arena_strdup(Arena *arena, const char *text)
{
    return text == NULL ? NULL : arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(Arena *arena, const char *format, va_list args)
{
    va_list measured;
    va_copy(measured, args);
    const int length = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    if (length < 0) {
        abort();
    }
    char *text = arena_alloc(arena, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

char *arena_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}
