/* Text on a screen: what it may hold and how wide it is. Internal to cli. */
#ifndef TENANTRY_CLI_SCREEN_H
#define TENANTRY_CLI_SCREEN_H

#include <stdio.h>

#include "core/arena.h"

/* text so that it cannot move the cursor, colour the screen or reorder what stands beside it:
 * control and direction characters as \xNN. In the arena; text itself where it is plain ASCII. */
const char *screen_safe(Arena *arena, const char *text);

/* Columns that safe text takes, wide and combining characters counted as terminals show them. Needs
 * setlocale(LC_CTYPE, "C.UTF-8"). */
size_t screen_width(const char *text);

/* Writes count spaces. */
void screen_pad(FILE *out, size_t count);

/* Writes text in lines of at most width columns; every line but the first begins with indent
 * spaces, which width counts, and the first is taken to begin at column indent. Ends in a newline.
 */
void screen_wrap(FILE *out, const char *text, size_t indent, size_t width);

#endif
