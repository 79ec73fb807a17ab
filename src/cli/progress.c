#include "cli/progress.h"

#include <string.h>

#include "cli/screen.h"
#include "core/array.h"

enum { MOST_CELLS = 30, LEAST_CELLS = 5, LINE_MAX_BYTES = 512 };

void progress_done(Progress *progress)
{
    if (progress->is_bar_open) {
        fputs(PROGRESS_ERASE_LINE, progress->out);
        fflush(progress->out);
        progress->is_bar_open = false;
    }
}

/* " [###...]", as wide as there is room for; nothing where that is only a few cells. */
static const char *bar_text(Arena *arena, double share, size_t room)
{
    const size_t frame = strlen(" []");
    if (room < frame + LEAST_CELLS) {
        return "";
    }
    char bar[MOST_CELLS + 1];
    const size_t cells = room - frame < MOST_CELLS ? room - frame : MOST_CELLS;
    memset(bar, '.', cells);
    memset(bar, '#', (size_t)(share * (double)cells));
    bar[cells] = '\0';
    return arena_printf(arena, " [%s]", bar);
}

/* A line that wraps could not be redrawn. What has no room is left out: first cells of the bar,
 * then the detail, then all but the title. */
static void draw_bar(Progress *progress, Arena *arena, const char *title, const char *detail,
                     int64_t done, int64_t total)
{
    const int64_t within = done < 0 ? 0 : done > total ? total : done;
    const double share = total > 0 ? (double)within / (double)total : 0;
    const char *texts[] = {title, "", ""};
    if (total > 0) {
        texts[1] = arena_printf(arena, " %lld/%lld %3d%%", (long long)done, (long long)total,
                                (int)(share * 100));
    }
    if (*detail != '\0') {
        texts[2] = arena_printf(arena, "  %s", detail);
    }
    const size_t least = screen_width(title) + 1;
    size_t room = least < progress->columns ? progress->columns - least : 0;
    for (size_t i = 1; i < ARRAY_COUNT(texts); i++) {
        if (screen_width(texts[i]) > room) {
            texts[i] = "";
        }
        room -= screen_width(texts[i]);
    }
    fprintf(progress->out, PROGRESS_ERASE_LINE "%s%s%s%s", texts[0],
            total > 0 ? bar_text(arena, share, room) : "", texts[1], texts[2]);
    fflush(progress->out);
    progress->is_bar_open = true;
}

static void on_step(void *context, const char *title, const char *detail, int64_t done,
                    int64_t total)
{
    Progress *progress = context;
    if (progress->is_silent) {
        return;
    }
    scoped_arena Arena *arena = arena_new();
    const char *safe = screen_safe(arena, title);
    if (progress->has_bar) {
        draw_bar(progress, arena, safe, detail == NULL ? "" : screen_safe(arena, detail), done,
                 total);
        return;
    }
    char key[sizeof progress->title];
    snprintf(key, sizeof key, "%s", safe);
    if (strcmp(key, progress->title) != 0) {
        memcpy(progress->title, key, sizeof key);
        fprintf(progress->out, "step %s\n", safe);
        fflush(progress->out);
    }
}

static void on_show(void *context, const char *text)
{
    Progress *progress = context;
    scoped_arena Arena *arena = arena_new();
    progress_done(progress);
    fprintf(progress->out, "%s\n", screen_safe(arena, text));
    fflush(progress->out);
}

static void on_note(void *context, const char *text)
{
    const Progress *progress = context;
    if (!progress->is_silent) {
        on_show(context, text);
    }
}

static bool on_confirm(void *context, const char *question, const char *expected)
{
    Progress *progress = context;
    if (progress->in == NULL) {
        return false;
    }
    scoped_arena Arena *arena = arena_new();
    progress_done(progress);
    fprintf(progress->out, "%s\ntype %s to confirm: ", screen_safe(arena, question),
            screen_safe(arena, expected));
    fflush(progress->out);
    char line[LINE_MAX_BYTES];
    if (fgets(line, sizeof line, progress->in) == NULL) {
        putc('\n', progress->out);
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    return *expected != '\0' && strcmp(line, expected) == 0;
}

OpProgress progress_callbacks(Progress *progress)
{
    return (OpProgress){.context = progress,
                        .step = on_step,
                        .note = on_note,
                        .show = on_show,
                        .confirm = on_confirm};
}
