#include "pg/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/strbuf.h"

static void fail(const char *what, const char *about)
{
    fprintf(stderr, "tenantry: bug: %s: %.100s\n", what, about);
    abort();
}

SqlIdent sql_ident(Arena *arena, const char *name)
{
    const size_t length = strlen(name);
    if (length == 0 || length > LIMIT_IDENTIFIER_MAX_BYTES) {
        fail("an identifier has 1 to 63 bytes", name);
    }
    StrBuf buf = strbuf_init(arena);
    strbuf_add_char(&buf, '"');
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '"') {
            strbuf_add_char(&buf, '"');
        }
        strbuf_add_char(&buf, *c);
    }
    strbuf_add_char(&buf, '"');
    return (SqlIdent){.quoted = buf.text};
}

/* An escape string constant when there is a backslash, so that standard_conforming_strings does not
 * matter. */
static void add_literal(StrBuf *buf, const char *text)
{
    if (strchr(text, '\\') != NULL) {
        strbuf_add(buf, " E");
    }
    strbuf_add_char(buf, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\') {
            strbuf_add_char(buf, *c);
        }
        strbuf_add_char(buf, *c);
    }
    strbuf_add_char(buf, '\'');
}

static void add_arg(StrBuf *buf, const SqlArg *arg)
{
    switch (arg->kind) {
    case SQL_ARG_IDENT:
        strbuf_add(buf, arg->ident.quoted);
        break;
    case SQL_ARG_LITERAL:
        add_literal(buf, arg->literal);
        break;
    case SQL_ARG_INT:
        strbuf_printf(buf, "%" PRId64, arg->number);
        break;
    }
}

const char *sql_build(Arena *arena, const char *sql_template, const SqlArg *args, size_t count)
{
    StrBuf buf = strbuf_init(arena);
    size_t used = 0;
    const char *rest = sql_template;
    for (const char *hole = strstr(rest, "{}"); hole != NULL; hole = strstr(rest, "{}")) {
        if (used == count) {
            fail("a template has more {} than arguments", sql_template);
        }
        strbuf_add_bytes(&buf, rest, (size_t)(hole - rest));
        add_arg(&buf, &args[used++]);
        rest = hole + 2;
    }
    if (used != count) {
        fail("a template has fewer {} than arguments", sql_template);
    }
    strbuf_add(&buf, rest);
    return buf.text;
}
