/* Every limit on what a person, a file or a query can size, in one place. */
#ifndef TENANTRY_CORE_LIMITS_H
#define TENANTRY_CORE_LIMITS_H

enum {
    LIMIT_SLUG_MIN_BYTES = 2,
    LIMIT_SLUG_MAX_BYTES = 63,         /* one DNS label, RFC 1035 section 2.3.4 */
    LIMIT_NAME_MAX_CHARS = 200,        /* display name of a tenant */
    LIMIT_IDENTIFIER_MAX_BYTES = 63,   /* NAMEDATALEN - 1 in PostgreSQL */
    LIMIT_SOCKET_PATH_MAX_BYTES = 107, /* sun_path of sockaddr_un(7), less the NUL */
    LIMIT_CONFIG_FILE_BYTES = 256 * 1024,
    LIMIT_MANIFEST_BYTES = 1024 * 1024,
    LIMIT_MIGRATION_BYTES = 16 * 1024 * 1024,
    LIMIT_BLUEPRINT_BYTES = 64 * 1024 * 1024, /* all files of one blueprint together */
    LIMIT_SQL_RUN_TOKENS = 10000, /* in one SQL expression: bounds the depth of its parse tree */
    LIMIT_DUMP_BYTES = 64 * 1024 * 1024, /* of a place, when a stamp is taken */
    LIMIT_MIGRATIONS = 10000,            /* in one blueprint */
    LIMIT_PARTITIONED_TABLES = 1000,
    LIMIT_PERSONAL_COLUMNS = 2000, /* named in one manifest */
    LIMIT_PLANS = 100,             /* in one blueprint */
    LIMIT_YAML_DEPTH = 32,
    LIMIT_YAML_NODES = 100000,
    LIMIT_LIST_ROWS = 100000, /* rows that one answer lists */
    LIMIT_KEY_FILE_BYTES = 64 * 1024,
    LIMIT_MASTER_KEYS = 64,                   /* in one key file; a rotation needs two */
    LIMIT_REPORT_BYTES = 256 * 1024 * 1024,   /* of a signed report that is checked */
    LIMIT_SECRET_BYTES = 16 * 1024,           /* one sealed secret, before sealing */
    LIMIT_PARAM_TEXT_CHARS = 64 * 1024,       /* of a text parameter whose row sets no maximum */
    LIMIT_PARAM_VALUES = 10000,               /* of a parameter that may be given again */
    LIMIT_SIGNATURES_BYTES = 8 * 1024 * 1024, /* of a blueprint's signature file */
    LIMIT_TRUSTED_KEYS_BYTES = 64 * 1024,     /* of the file of trusted public keys */
    LIMIT_CHILD_OUTPUT_BYTES = 1024 * 1024,   /* kept of what a child process prints */
};

#endif
