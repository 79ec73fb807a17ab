#include "blueprint/schema_name.h"

#include <string.h>

#include "core/array.h"
#include "core/text.h"

enum { OPAQUE_HEX_DIGITS = 12 };

static const char *const reserved_names[] = {"information_schema", "public"};
static const char *const reserved_beginnings[] = {"pg_", "tenancy", "tenantry"};
static const char *const opaque_beginnings[] = {"shared_", "stamp_", "tenant_", "trial_"};

bool schema_is_reserved(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(reserved_names); i++) {
        if (strcmp(name, reserved_names[i]) == 0) {
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(reserved_beginnings); i++) {
        if (text_begins_with(name, reserved_beginnings[i])) {
            return true;
        }
    }
    return false;
}

bool schema_is_opaque(const char *name)
{
    for (size_t i = 0; i < ARRAY_COUNT(opaque_beginnings); i++) {
        const size_t length = strlen(opaque_beginnings[i]);
        if (text_begins_with(name, opaque_beginnings[i]) &&
            strlen(name + length) == OPAQUE_HEX_DIGITS &&
            strspn(name + length, "0123456789abcdef") == OPAQUE_HEX_DIGITS) {
            return true;
        }
    }
    return false;
}
