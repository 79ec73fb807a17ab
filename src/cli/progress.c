#include "cli/progress.h"

#include <string.h>

#include "cli/screen.h"

enum { BAR_CELLS = 30, LINE_MAX_BYTES = 512 };

#define ERASE_LINE "\r\033[K"

void progress_done(Progress *progress)
{
    if (progress->is_bar_open) {
        fputs(ERASE_LINE, progress->out);
        fflush(progress->out);
        progress->is_bar_open = false;
    }
}

static void draw_bar(Progress *progress, const char *title, const char *detail, int64_t done,
                     int64_t total)
{
    char bar[BAR_CELLS + 1];
    char counts[LINE_MAX_BYTES] = "";
    if (total > 0) {
        const int64_t within = done < 0 ? 0 : done > total ? total : done;
        const double share = (double)within / (double)total;
        const size_t full = (size_t)(share * BAR_CELLS);
        memset(bar, '#', full);
        memset(bar + full, '.', BAR_CELLS - full);
        bar[BAR_CELLS] = '\0';
        snprintf(counts, sizeof counts, " [%s] %lld/%lld %3d%%", bar, (long long)done,
                 (long long)total, (int)(share * 100));
    }
    fputs(ERASE_LINE, progress->out);
    /* A line that wraps could not be redrawn: without room there is only the title. */
    const size_t width = screen_width(title) + strlen(counts);
    const bool has_room = width < progress->columns;
    const bool has_more = *detail != '\0' && width + 2 + screen_width(detail) < progress->columns;
    fprintf(progress->out, "%s%s%s%s", title, has_room ? counts : "", has_more ? "  " : "",
            has_more ? detail : "");
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
        draw_bar(progress, safe, detail == NULL ? "" : screen_safe(arena, detail), done, total);
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
