-- Who may act as whom, however many roles lie between: upwards from the tenants' roles and from neighbours that reach
-- everybody, downwards from what only one tenant may have. `via` is the member of the last step. Members of groups are
-- looked at from their own side.
WITH RECURSIVE up (member, role, via, is_admin) AS (
    SELECT m.member, m.roleid, m.member, m.admin_option
      FROM (SELECT oid FROM iso_own UNION ALL SELECT oid FROM iso_wide) o
      JOIN pg_auth_members m ON m.member = o.oid
    UNION
    SELECT u.member, m.roleid, u.role, m.admin_option
      FROM up u
      JOIN pg_auth_members m ON m.member = u.role
), down (member, role, via, is_admin) AS (
    SELECT m.member, m.roleid, m.member, m.admin_option
      FROM iso_own o
      JOIN pg_auth_members m ON m.roleid = o.oid
     WHERE o.kind IN ('owner', 'app', 'readonly', 'group_owner')
    UNION
    SELECT m.member, d.role, d.via, d.is_admin
      FROM down d
      JOIN pg_auth_members m ON m.roleid = d.member
)
SELECT member, role, via, is_admin FROM up
UNION
SELECT member, role, via, is_admin FROM down
