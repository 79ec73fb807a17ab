-- Who holds a right that iso_acl or iso_far lists: the grantee, and every member of it. The groups whose members are tenants by
-- design are not taken apart: a right of theirs is every tenant's.
WITH RECURSIVE grantee AS (
    SELECT a.grantee FROM iso_acl a WHERE a.grantee <> 0
    UNION
    SELECT f.grantee FROM iso_far f
), holder (grantee, member, depth) AS (
    SELECT grantee, grantee, 0 FROM grantee
    UNION
    SELECT h.grantee, m.member, 1
      FROM holder h
      JOIN pg_auth_members m ON m.roleid = h.member
     WHERE NOT EXISTS (SELECT FROM iso_own o WHERE o.oid = h.member AND o.kind IN ('tenants', 'group_app', 'group_readonly'))
)
SELECT grantee, member, bool_and(depth > 0) AS is_inherited FROM holder GROUP BY grantee, member
