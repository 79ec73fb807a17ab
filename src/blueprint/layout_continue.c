/* Going on from what is recorded: positions are for good, since places have them. */
#include <string.h>

#include "blueprint/blueprint_json.h"
#include "blueprint/layout.h"
#include "blueprint/layout_continue.h"

/* The newest recorded migration of this name, or NULL. */
static const BlueprintMigration *find_newest(const Blueprint *blueprint, const char *name)
{
    for (size_t i = blueprint->migration_count; i > 0; i--) {
        if (strcmp(blueprint->migrations[i - 1].name, name) == 0) {
            return &blueprint->migrations[i - 1];
        }
    }
    return NULL;
}

static bool fail_late(const Blueprint *new, const BlueprintMigration *late,
                      const BlueprintMigration *next, Err *err)
{
    const Layout *layout = layout_find(new->layout);
    return ERR_SET(err, ERR_BLUEPRINT_EXISTS, "give it a version that comes after all others",
                   "blueprint \"%s\": migration \"%s\" comes before \"%s\", which is recorded (%s)",
                   new->name, late->file, next->file, layout->late_rule);
}

/* The first migration at or behind index that is run once and is recorded. */
static const BlueprintMigration *next_recorded(const Blueprint *old, const Blueprint *new,
                                               size_t index)
{
    for (; index < new->migration_count; index++) {
        if (!new->migrations[index].is_repeatable &&
            find_newest(old, new->migrations[index].name) != NULL) {
            return &new->migrations[index];
        }
    }
    return NULL;
}

static bool is_unchanged(const BlueprintMigration *recorded, const BlueprintMigration *now)
{
    return recorded != NULL && now != NULL && strcmp(recorded->sha256, now->sha256) == 0;
}

/* What is recorded, where it was: the text of the folder for what is run once (its SHA-256 is
 * compared later), the recorded one for each run of what is repeated. */
static bool keep_recorded(const Blueprint *old, const Blueprint *new,
                          BlueprintMigration *migrations, Err *err)
{
    for (size_t i = 0; i < old->migration_count; i++) {
        const BlueprintMigration *recorded = &old->migrations[i];
        const BlueprintMigration *now = find_newest(new, recorded->name);
        if (!recorded->is_repeatable && (now == NULL || now->is_repeatable)) {
            return ERR_SET(err, ERR_BLUEPRINT_EXISTS, "put the file back as it was",
                           "blueprint \"%s\": migration \"%s\" was recorded and is gone now",
                           new->name, recorded->file);
        }
        const bool is_kept = recorded->is_repeatable && !is_unchanged(recorded, now);
        migrations[i] = is_kept ? *recorded : *now;
        migrations[i].version = recorded->version;
    }
    return true;
}

bool layout_continue(Arena *arena, const Blueprint *old, Blueprint *blueprint, Err *err)
{
    size_t count = old->migration_count;
    BlueprintMigration *migrations = ARENA_ARRAY(arena, BlueprintMigration,
                                                 count + blueprint->migration_count);
    if (!keep_recorded(old, blueprint, migrations, err)) {
        return false;
    }
    for (size_t i = 0; i < blueprint->migration_count; i++) {
        const BlueprintMigration *now = &blueprint->migrations[i];
        const BlueprintMigration *recorded = find_newest(old, now->name);
        const BlueprintMigration *next = next_recorded(old, blueprint, i + 1);
        if (now->is_repeatable ? is_unchanged(recorded, now) : recorded != NULL) {
            continue;
        }
        if (!now->is_repeatable && next != NULL) {
            return fail_late(blueprint, now, next, err);
        }
        migrations[count] = *now;
        migrations[count].version = (int64_t)count + 1;
        count++;
    }
    blueprint->migrations = migrations;
    blueprint->migration_count = count;
    blueprint->version = (int64_t)count;
    return blueprint_put_checksum(arena, blueprint, err);
}
